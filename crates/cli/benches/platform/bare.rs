//! The engine without a platform: the same program, the same home, the same configuration.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::platform::Platform;

/// Copies the sleeping box's home, starts the engine on the copy, and measures until it says that it started.
pub fn boot(platform: &Platform, engine: &Path) -> Duration {
    let home = tempfile::tempdir().unwrap();
    let from = std::fs::read_dir(platform.path("boxes"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path()
        .join("home/.");
    assert!(Command::new("cp").arg("-a").arg(from).arg(home.path()).status().unwrap().success());
    let begin = Instant::now();
    let mut child = Command::new(engine.join("bin/node"))
        .arg("--max-semi-space-size=16")
        .arg(engine.join("node_modules/openclaw/openclaw.mjs"))
        .args(["gateway", "run"])
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("OPENCLAW_STATE_DIR", home.path().join(".openclaw"))
        .env("SMARTBOX_MODEL_TOKEN", "none")
        .envs(
            [
                "OPENCLAW_NO_RESPAWN",
                "OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED",
                "OPENCLAW_NO_AUTO_UPDATE",
            ]
            .map(|k| (k, "1")),
        )
        .envs(
            [
                "OPENCLAW_OFFLINE",
                "OPENCLAW_DISABLE_BONJOUR",
                "DO_NOT_TRACK",
                "NODE_COMPILE_CACHE_PORTABLE",
            ]
            .map(|k| (k, "1")),
        )
        .env("NODE_COMPILE_CACHE", engine.join("compile-cache"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !started() {
        assert!(begin.elapsed() < crate::LONG, "the bare engine did not start");
        assert!(child.try_wait().unwrap().is_none(), "the bare engine ended");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let took = begin.elapsed();
    let _ = Command::new("kill").arg(child.id().to_string()).status();
    let _ = child.wait();
    took
}

fn started() -> bool {
    let Ok(mut socket) = TcpStream::connect(("127.0.0.1", 18789)) else { return false };
    let asked =
        socket.write_all(b"GET /startupz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let mut text = String::new();
    asked.is_ok() && socket.read_to_string(&mut text).is_ok() && text.contains("\"started\"")
}
