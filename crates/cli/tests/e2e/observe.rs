//! What an operator sees of a real platform from outside.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use crate::platform::Platform;

const BOOT: Duration = Duration::from_secs(120);

/// A configuration with the pretend engine.
fn puppet() -> String {
    let puppet = PathBuf::from(env!("CARGO_BIN_EXE_smartbox")).with_file_name("smartbox-puppet");
    assert!(puppet.exists(), "build the whole workspace first: {} is missing", puppet.display());
    format!("[engine]\nname = \"puppet\"\npath = {puppet:?}\n")
}

/// A port that is free now.
fn free() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Head and body of the answer.
fn get(port: u16, host: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn sample(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} in {text}")).parse().unwrap()
}

#[test]
fn prometheus_reads_from_a_listener_of_its_own() {
    let port = free();
    let config = format!("{}[metrics]\nlisten = \"{port}\"\n", puppet());
    let platform = Platform::start(&config, &[]);
    platform.wait_for("pa", "running", BOOT);
    platform.ok(["chat", "pa", "hello"]);
    platform.ok(["exec", "pa", "--", "true"]);

    let (head, text) = get(port, "127.0.0.1", "/metrics");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert_eq!(sample(&text, "smartbox_wake_duration_seconds_count{from=\"stopped\"}"), 1.0);
    assert_eq!(sample(&text, "smartbox_turn_duration_seconds_count{outcome=\"answered\"}"), 1.0);
    assert!(sample(&text, "smartbox_model_calls_total{provider=\"demo\",status=\"200\"}") >= 1.0);
    assert!(sample(&text, "smartbox_model_tokens_total{provider=\"demo\",kind=\"output\"}") >= 1.0);
    assert_eq!(sample(&text, "smartbox_exec_duration_seconds_count"), 1.0);
    assert!(sample(&text, "smartbox_machine_memory_size_bytes") > 0.0);
    assert!(!text.contains(&platform.id("pa")), "{text}");

    // It has nothing else, and answers nobody who was led here by another name.
    assert!(get(port, "127.0.0.1", "/api/v1/boxes").0.starts_with("HTTP/1.1 404 "));
    let (head, text) = get(port, "evil.example", "/metrics");
    assert!(head.starts_with("HTTP/1.1 421 ") && !text.contains("smartbox_boxes"), "{head} {text}");
}
