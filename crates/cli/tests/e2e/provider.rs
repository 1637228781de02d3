//! A provider of models that a test plays: it takes one key, answers always the same, and remembers what
//! it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What it answers.
pub const SAID: &str = "These words came from the provider outside.";

/// A provider by Anthropic's documents, as far as one turn needs it. Refuses every other key.
pub struct Provider {
    /// Where it listens.
    pub port: u16,
    /// Whole requests, as text.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    /// One that takes this key.
    pub fn start(key: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (seen, key) = (asked.clone(), key.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (seen, key) = (seen.clone(), key.clone());
                std::thread::spawn(move || {
                    // The platform may hang up whenever it likes.
                    let _ = serve(&stream, &key, &seen);
                });
            }
        });
        Self { port, asked }
    }

    /// What it was asked so far: whole requests, as text.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// One request and its answer.
fn serve(mut stream: &TcpStream, key: &str, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let field = |name: &str| {
        let line = head.lines().find(|l| l.to_ascii_lowercase().starts_with(&format!("{name}:")));
        line.and_then(|l| l.split_once(':')).map(|(_, value)| value.trim().to_owned())
    };
    let body = match field("content-length").and_then(|n| n.parse().ok()) {
        Some(length) => {
            let mut body = vec![0; length];
            reader.read_exact(&mut body)?;
            body
        }
        None if field("transfer-encoding").is_some() => chunked(&mut reader)?,
        None => Vec::new(),
    };
    seen.lock().unwrap().push(head.clone() + &String::from_utf8_lossy(&body));
    let allowed = field("x-api-key").as_deref() == Some(key);
    if allowed && head.starts_with("POST /v1/messages ") {
        let text = turn();
        // A provider that is careless with what it was told.
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nrequest-id: {key}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{text}",
            text.len()
        )
    } else {
        let text = r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#;
        write!(
            stream,
            "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{text}",
            text.len()
        )
    }
}

fn chunked(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16).map_err(std::io::Error::other)?;
        let mut piece = vec![0; size + 2];
        reader.read_exact(&mut piece)?;
        if size == 0 {
            return Ok(body);
        }
        body.extend_from_slice(&piece[..size]);
    }
}

/// A streamed turn, event by event.
fn turn() -> String {
    let (first, rest) = SAID.split_at(12);
    let delta = |text: &str| serde_json::json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": text } });
    let events = [
        serde_json::json!({ "type": "message_start", "message": {
            "id": "msg_01XFDUDYJgAACzvnptvVoYEL", "type": "message", "role": "assistant",
            "model": "claude-sonnet-4-6", "content": [], "stop_reason": null, "stop_sequence": null,
            "usage": { "input_tokens": 25, "output_tokens": 1 },
        } }),
        serde_json::json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        serde_json::json!({ "type": "ping" }),
        delta(first),
        delta(rest),
        serde_json::json!({ "type": "content_block_stop", "index": 0 }),
        serde_json::json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null },
            "usage": { "output_tokens": 15 } }),
        serde_json::json!({ "type": "message_stop" }),
    ];
    events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect()
}
