//! A real Chromium, driven over its DevTools protocol.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// A headless browser with one tab and a profile of its own; killed when dropped.
pub struct Browser {
    child: Child,
    socket: WebSocketStream<tokio::net::TcpStream>,
    session: String,
    next: u64,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts Chromium with an empty profile and opens an empty tab.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same, with more options.
    pub async fn start_with(options: &[&str]) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
            .into_iter()
            .find(|path| std::path::Path::new(path).exists())
            .expect("a Chromium is installed (Debian's package `chromium`)");
        let child = Command::new(program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ])
            .args(["--remote-debugging-port=0", "--window-size=1280,900"])
            .args(options)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let port_file = profile.path().join("DevToolsActivePort");
        let (port, path) = super::until(Duration::from_secs(60), async || {
            let text = std::fs::read_to_string(&port_file).ok()?;
            let (port, path) = text.trim().split_once('\n')?;
            Some((port.parse::<u16>().ok()?, path.to_owned()))
        })
        .await;
        let tcp = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (socket, _) =
            tokio_tungstenite::client_async(format!("ws://127.0.0.1:{port}{path}"), tcp)
                .await
                .unwrap();
        let mut browser =
            Self { child, socket, session: String::new(), next: 0, _profile: profile };
        let targets = browser.call("Target.getTargets", json!({})).await;
        let page = targets["targetInfos"]
            .as_array()
            .unwrap()
            .iter()
            .find(|t| t["type"] == "page")
            .unwrap()["targetId"]
            .clone();
        let attached = browser
            .call("Target.attachToTarget", json!({ "targetId": page, "flatten": true }))
            .await;
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        browser.call("Page.enable", json!({})).await;
        browser
    }

    /// Calls a method of the protocol and returns its result.
    pub async fn call(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        let id = self.next;
        let mut request = json!({ "id": id, "method": method, "params": params });
        if !self.session.is_empty() && !method.starts_with("Target.") {
            request["sessionId"] = json!(self.session);
        }
        self.socket.send(Message::text(request.to_string())).await.unwrap();
        let answer = tokio::time::timeout(Duration::from_secs(60), async {
            loop {
                let Message::Text(text) =
                    self.socket.next().await.expect("the browser lives").unwrap()
                else {
                    continue;
                };
                let value: Value = serde_json::from_str(&text).unwrap();
                if value["id"] == json!(id) {
                    return value;
                }
            }
        })
        .await
        .unwrap_or_else(|_| panic!("{method} was not answered"));
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Opens an address in the tab.
    pub async fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url })).await;
    }

    /// The same, and waits until it is there and this holds.
    pub async fn open_ready(&mut self, url: &str, ready: &str, within: Duration) {
        self.open(url).await;
        let there = format!(
            "location.href.startsWith({url:?}) && document.readyState === 'complete' && ({ready})"
        );
        self.wait(&there, within).await;
    }

    /// Opens the list of smartboxes as whoever is signed in here; no worker of another page rules it.
    pub async fn open_list(&mut self, origin: &str, within: Duration) {
        let ready = "document.body.innerText.includes('Your smartboxes')";
        self.open_ready(&format!("{origin}/boxes"), ready, within).await;
        assert_eq!(self.eval("navigator.serviceWorker.controller").await, Value::Null);
    }

    /// The value of an expression in the page; null while the page is changing.
    pub async fn eval(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        self.call("Runtime.evaluate", params).await["result"]["value"].clone()
    }

    /// Waits until an expression is truthy, and returns it.
    pub async fn wait(&mut self, expression: &str, within: Duration) -> Value {
        let end = Instant::now() + within;
        loop {
            let value = self.eval(expression).await;
            if !matches!(value, Value::Null | Value::Bool(false)) && value != json!("") {
                return value;
            }
            if Instant::now() > end {
                self.picture("failed").await;
                let text = self
                    .eval("location.href + '\\n' + document.body.innerText.slice(0, 2000)")
                    .await;
                panic!("`{expression}` did not become true within {within:?}; the page: {text}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Types into the element that has the focus, as a person would, and presses Enter.
    pub async fn type_line(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text })).await;
        for kind in ["keyDown", "keyUp"] {
            let key = json!({ "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r" });
            self.call("Input.dispatchKeyEvent", key).await;
        }
    }

    /// Takes a picture into `$SMARTBOX_TEST_PICTURES/<name>.png`, if that is set.
    pub async fn picture(&mut self, name: &str) {
        let Some(dir) = std::env::var_os("SMARTBOX_TEST_PICTURES") else { return };
        let shot = self.call("Page.captureScreenshot", json!({ "format": "png" })).await;
        let bytes = base64(shot["data"].as_str().unwrap());
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(std::path::Path::new(&dir).join(format!("{name}.png")), bytes).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn base64(text: &str) -> Vec<u8> {
    let digit = |b: u8| match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits: Vec<u8> = text.bytes().filter_map(digit).collect();
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    for chunk in digits.chunks(4) {
        let bits =
            chunk.iter().fold(0_u32, |acc, d| acc << 6 | u32::from(*d)) << (6 * (4 - chunk.len()));
        out.extend_from_slice(&bits.to_be_bytes()[1..chunk.len()]);
    }
    out
}
