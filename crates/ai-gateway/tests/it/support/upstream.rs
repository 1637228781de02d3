//! A provider that answers by script, on a socket, one request a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};

use super::soon;

/// One step of an answer.
#[derive(Clone)]
pub(crate) enum Step {
    /// Send these bytes.
    Send(Vec<u8>),
    /// Wait until the test says so.
    Wait(Arc<Notify>),
    /// Send nothing more and stay, until the other side goes.
    Stall,
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Request line and headers.
    pub(crate) head: String,
    /// The body, its framing taken off.
    pub(crate) body: Vec<u8>,
}

impl Seen {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// The provider.
pub(crate) struct Upstream {
    /// Its base address.
    pub(crate) base: String,
    /// How many connections it got.
    pub(crate) connections: Arc<AtomicUsize>,
    seen: mpsc::UnboundedReceiver<Seen>,
    gone: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Upstream {
    /// Starts one; every request gets the same answer.
    pub(crate) async fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (tell, seen) = mpsc::unbounded_channel();
        let (gone, connections) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
        let (left, counted) = (gone.clone(), connections.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(play(stream, steps.clone(), tell.clone(), left.clone()));
            }
        });
        Self { base, connections, seen, gone, task }
    }

    /// The next request.
    pub(crate) async fn seen(&mut self) -> Seen {
        soon(self.seen.recv()).await.unwrap()
    }

    /// Whether a request came that was not looked at.
    pub(crate) fn saw_more(&mut self) -> bool {
        self.seen.try_recv().is_ok()
    }

    /// Waits until a stalled connection was left by the other side.
    pub(crate) async fn left(&self) {
        soon(self.gone.notified()).await;
    }
}

async fn play(
    mut stream: TcpStream,
    steps: Vec<Step>,
    tell: mpsc::UnboundedSender<Seen>,
    gone: Arc<Notify>,
) {
    let Some(seen) = request(&mut stream).await else { return gone.notify_one() };
    let _ = tell.send(seen);
    for step in steps {
        match step {
            Step::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return gone.notify_one();
                }
            }
            Step::Wait(go) => go.notified().await,
            Step::Stall => {
                let mut byte = [0];
                while stream.read(&mut byte).await.is_ok_and(|n| n > 0) {}
                gone.notify_one();
            }
        }
    }
}

/// Reads one request; none if it broke off.
async fn request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = find(&bytes, b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, &mut bytes).await?;
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut seen = Seen { head, body: bytes[end..].to_vec() };
    if let Some(length) = seen.header("content-length") {
        let length: usize = length.parse().unwrap();
        assert!(seen.header("transfer-encoding").is_none(), "{}", seen.head);
        while seen.body.len() < length {
            more(stream, &mut seen.body).await?;
        }
    } else if seen.header("transfer-encoding").is_some() {
        let mut raw = std::mem::take(&mut seen.body);
        loop {
            let Some(line) = find(&raw, b"\r\n") else {
                more(stream, &mut raw).await?;
                continue;
            };
            let size =
                usize::from_str_radix(std::str::from_utf8(&raw[..line]).unwrap(), 16).unwrap();
            while raw.len() < line + 2 + size + 2 {
                more(stream, &mut raw).await?;
            }
            seen.body.extend_from_slice(&raw[line + 2..line + 2 + size]);
            raw.drain(..line + 2 + size + 2);
            if size == 0 {
                break;
            }
        }
    }
    Some(seen)
}

async fn more(stream: &mut TcpStream, into: &mut Vec<u8>) -> Option<()> {
    match stream.read_buf(into).await {
        Ok(n) if n > 0 => Some(()),
        _ => None,
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// An answer with a length.
pub(crate) fn whole(status: &str, headers: &str, body: &[u8]) -> Step {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n",
        body.len()
    );
    Step::Send([head.as_bytes(), body].concat())
}

/// The head of an event stream.
pub(crate) fn stream_head() -> Step {
    Step::Send(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\nconnection: close\r\nrequest-id: req_1\r\nset-cookie: __cf_bm=1\r\n\r\n".to_vec(),
    )
}

/// A piece of a stream.
pub(crate) fn chunk(text: &str) -> Step {
    Step::Send(format!("{:x}\r\n{text}\r\n", text.len()).into_bytes())
}

/// The end of a stream.
pub(crate) fn end() -> Step {
    Step::Send(b"0\r\n\r\n".to_vec())
}

/// An Anthropic event.
pub(crate) fn event(data: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(data).unwrap();
    format!("event: {}\ndata: {data}\n\n", value["type"].as_str().unwrap())
}

/// The beginning of an Anthropic stream: 25 tokens read, 9 from the cache and 7 into it.
pub(crate) fn message_start() -> String {
    event(
        r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"claude-x","stop_reason":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":7,"cache_read_input_tokens":9,"output_tokens":1}}}"#,
    )
}

/// Some text of an Anthropic stream.
pub(crate) fn delta(text: &str) -> String {
    let text = serde_json::Value::from(text);
    event(&format!(
        r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":{text}}}}}"#
    ))
}

/// The end of an Anthropic stream: 15 tokens written.
pub(crate) fn message_end() -> String {
    event(
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":15}}"#,
    ) + &event(r#"{"type":"message_stop"}"#)
}
