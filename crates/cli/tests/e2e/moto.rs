//! A real S3 server, as a process of its own, with one bucket.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(120);

/// The keys that it takes; it takes any.
pub const KEYS: [(&str, &str); 2] =
    [("R2_ACCESS_KEY_ID", "testing"), ("R2_SECRET_ACCESS_KEY", "testing-secret")];

/// A running server.
pub struct Moto {
    port: u16,
    process: Child,
}

impl Moto {
    /// With an empty bucket of this name.
    pub fn start(bucket: &str) -> Self {
        // Free a moment ago; whoever takes it meanwhile makes the server end, which is told.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(program())
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut moto = Self { port, process };
        let end = Instant::now() + LONG;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(moto.process.try_wait().unwrap().is_none(), "the server ended");
            assert!(Instant::now() < end, "the server does not answer");
            std::thread::park_timeout(Duration::from_millis(50));
        }
        moto.put(bucket, b"");
        moto
    }

    /// Its address.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes a bucket, or an object by `bucket/name`.
    pub fn put(&self, path: &str, bytes: &[u8]) {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let head = format!(
            "PUT /{path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            bytes.len()
        );
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(bytes).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert_eq!(status, "200", "PUT {path}: {answer}");
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Installed once, from PyPI.
fn program() -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/moto.sh");
    let told = Command::new(script).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8(told.stdout).unwrap().trim().to_owned()
}
