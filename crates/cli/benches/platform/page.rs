//! A browser's way to a box's page, without a browser.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::platform::Platform;

/// A signed-in visitor of the box `pa`.
pub struct Page {
    port: u16,
    cookie: String,
}

struct Answer {
    head: String,
    body: String,
}

impl Page {
    /// Follows the printed link to a session on the box's own origin.
    pub fn sign_in(platform: &Platform) -> Self {
        let port = platform.port;
        let token = platform.link.split("?token=").nth(1).unwrap();
        let here = format!("127.0.0.1:{port}");
        let first = ask(port, &here, "GET", &format!("/?token={token}"), "", "");
        let cookie = first.cookie();
        let opened = ask(port, &here, "POST", "/open/pa", &cookie, "");
        let ticket = opened.location().split("ticket=").nth(1).expect("a ticket").to_owned();
        let there = format!("pa.localhost:{port}");
        let entered =
            ask(port, &there, "POST", "/_smartbox/enter", "", &format!("ticket={ticket}"));
        Self { port, cookie: entered.cookie() }
    }

    /// Asks for the page and measures until the first byte of the engine's answer.
    pub fn first_byte(&mut self) -> Duration {
        let begin = Instant::now();
        let host = format!("pa.localhost:{}", self.port);
        let mut socket = send(self.port, &host, "GET", "/healthz", &self.cookie, "");
        let mut line = String::new();
        BufReader::new(&mut socket).read_line(&mut line).unwrap();
        let took = begin.elapsed();
        assert!(line.contains(" 200"), "{line}");
        took
    }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let found = self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        });
        found.unwrap_or_else(|| panic!("no {name} in {}\n{}", self.head, self.body))
    }

    fn cookie(&self) -> String {
        self.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
    }

    fn location(&self) -> &str {
        self.header("location")
    }
}

fn send(port: u16, host: &str, method: &str, path: &str, cookie: &str, body: &str) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    socket.set_nodelay(true).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\norigin: http://{host}\r\nsec-fetch-site: same-origin\r\ncookie: {cookie}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket
}

fn ask(port: u16, host: &str, method: &str, path: &str, cookie: &str, body: &str) -> Answer {
    let mut text = String::new();
    send(port, host, method, path, cookie, body).read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    Answer { head: head.to_owned(), body: body.to_owned() }
}
