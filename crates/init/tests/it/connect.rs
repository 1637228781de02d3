//! The way out for ssh: the program as ssh runs it, before a proxy that does as it is told.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

/// A proxy for one connection.
fn proxy<T: Send + 'static>(
    serve: impl FnOnce(TcpStream, String) -> T + Send + 'static,
) -> (u16, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        serve(stream, String::from_utf8(head).unwrap())
    });
    (port, served)
}

fn connect(port: u16) -> Child {
    Command::new(env!("CARGO_BIN_EXE_smartbox-init"))
        .args(["connect", &port.to_string(), "git.example.com", "22"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn refused(answer: &'static str) -> String {
    let (port, served) = proxy(move |mut stream, _| stream.write_all(answer.as_bytes()).unwrap());
    let ended = connect(port).wait_with_output().unwrap();
    served.join().unwrap();
    assert_eq!((ended.status.code(), ended.stdout.len()), (Some(1), 0));
    String::from_utf8(ended.stderr).unwrap()
}

#[test]
fn bytes_pass_both_ways_and_each_way_ends_by_itself() {
    let (port, served) = proxy(|mut stream, head| {
        // A server that speaks first, in one piece with the proxy's answer.
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nSSH-2.0-first\r\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).unwrap();
        (head, heard)
    });
    let mut child = connect(port);
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "SSH-2.0-first\r\n");
    // The server has said its last; what is sent now arrives all the same.
    let sent: Vec<u8> = (0..1_000_000_u32).map(|n| (n % 251) as u8).collect();
    child.stdin.take().unwrap().write_all(&sent).unwrap();
    let (head, heard) = served.join().unwrap();
    assert_eq!(head, "CONNECT git.example.com:22 HTTP/1.1\r\nHost: git.example.com:22\r\n\r\n");
    assert!(heard == sent, "{} bytes arrived", heard.len());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn what_is_said_last_before_the_input_ends_is_answered() {
    let (port, served) = proxy(|mut stream, _| {
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).unwrap();
        stream.write_all(&heard).unwrap();
    });
    let mut child = connect(port);
    child.stdin.take().unwrap().write_all(b"last words").unwrap();
    let ended = child.wait_with_output().unwrap();
    served.join().unwrap();
    assert_eq!(ended.stdout, b"last words");
    assert!(ended.status.success(), "{ended:?}");
}

#[test]
fn a_refusal_is_said_where_people_see_it() {
    let said = refused(
        "HTTP/1.1 403 no\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\r\n\
         {\"title\":\"it is not allowed for pa\",\"hint\":\"its owner allows it\"}",
    );
    assert_eq!(said, "smartbox: it is not allowed for pa\nsmartbox: its owner allows it\n");
    let said = refused("HTTP/1.1 503 Service Unavailable\r\n\r\n");
    assert_eq!(said, "smartbox: there is no way to git.example.com:22: 503 Service Unavailable\n");
    assert!(refused("SSH-2.0-none\r\n\r\n").contains("is no HTTP proxy"));
    assert!(refused("HTTP/1.1 200 OK\r\n").contains("broke off"));
}

#[test]
fn without_a_proxy_it_says_so() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ended = connect(port).wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&ended.stderr).contains("is closed"), "{ended:?}");
    let init = env!("CARGO_BIN_EXE_smartbox-init");
    let ended = Command::new(init).args(["connect", "3128"]).output().unwrap();
    assert!(String::from_utf8_lossy(&ended.stderr).contains("usage"), "{ended:?}");
}
