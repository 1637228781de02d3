//! Real issuers as processes, and as much of a browser as signing in needs. For the tests of this room and
//! of the server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use reqwest::{Client, Response, Url, redirect};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

const LONG: Duration = Duration::from_secs(120);

/// A script of `tests/peers`, as a process.
pub struct Peer {
    _process: Child,
    asks: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    pub url: String,
}

impl Peer {
    pub async fn start(script: &str, arguments: &[String]) -> Self {
        let place = installed();
        let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/../sign-in/tests/peers");
        let mut process = Command::new(place.join("bin/node"))
            .arg(Path::new(scripts).join(script))
            .arg(&place)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let asks = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut peer = Self { _process: process, asks, answers, url: String::new() };
        peer.url = peer.answer().await;
        peer
    }

    pub async fn ask(&mut self, line: &str) -> String {
        self.asks.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        self.answer().await
    }

    async fn answer(&mut self) -> String {
        let line = tokio::time::timeout(LONG, self.answers.next_line()).await;
        line.expect("the peer says nothing").unwrap().expect("the peer ended: see above")
    }
}

/// Where `scripts/oidc.sh` put them.
fn installed() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/oidc.sh");
    let out = std::process::Command::new(script).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    PathBuf::from(String::from_utf8(out.stdout).unwrap().trim())
}

/// As much of a browser as a form needs.
pub struct Browser {
    client: Client,
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client =
            Client::builder().redirect(redirect::Policy::none()).no_proxy().build().unwrap();
        Self { client, cookies: BTreeMap::new() }
    }

    /// Goes there and on, until it is shown a page or is sent to `back`: the page and where it is, or the
    /// address.
    pub async fn go(&mut self, url: Url, form: Option<Vec<(String, String)>>, back: &str) -> Shown {
        let (mut url, mut form) = (url, form);
        for _ in 0..10 {
            if url.as_str().starts_with(back) {
                return Shown::Back(url);
            }
            let request = match form.take() {
                Some(form) => self
                    .client
                    .post(url.clone())
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(encoded(&form)),
                None => self.client.get(url.clone()),
            };
            let cookies: Vec<_> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            let answer = request.header("cookie", cookies.join("; ")).send().await.unwrap();
            self.keep(&answer);
            let Some(to) = answer.headers().get("location") else {
                let status = answer.status();
                let page = answer.text().await.unwrap();
                assert!(status.is_success(), "{status} {page}");
                return Shown::Page(url, page);
            };
            url = url.join(to.to_str().unwrap()).unwrap();
        }
        panic!("it goes round: {url}");
    }

    fn keep(&mut self, answer: &Response) {
        for cookie in answer.headers().get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

pub enum Shown {
    Page(Url, String),
    Back(Url),
}

/// What follows `before` in a page, up to a quote.
fn after<'page>(page: &'page str, before: &str) -> Option<&'page str> {
    page.split_once(before)?.1.split('"').next()
}

fn encoded(form: &[(String, String)]) -> String {
    let mut url: Url = "http://x/".parse().unwrap();
    url.query_pairs_mut().extend_pairs(form);
    url.query().unwrap().to_owned()
}

/// The fields of the only form, with the person's name and password.
pub fn filled(at: &Url, page: &str) -> (Url, Vec<(String, String)>) {
    let to = at.join(after(page, "action=\"").expect(page)).unwrap();
    let mut form = Vec::new();
    for input in page.split("<input").skip(1) {
        let Some(name) = after(input, "name=\"") else { continue };
        let value = match name {
            "login" => "ada",
            "password" => "anything",
            _ => after(input, "value=\"").unwrap_or_default(),
        };
        form.push((name.to_owned(), value.to_owned()));
    }
    (to, form)
}

/// Signs in at the provider's and agrees to everything; where the browser comes back.
pub async fn sign_in(browser: &mut Browser, url: Url, back: &str) -> Url {
    let mut shown = browser.go(url, None, back).await;
    for _ in 0..4 {
        match shown {
            Shown::Back(url) => return url,
            Shown::Page(at, page) => {
                let (to, form) = filled(&at, &page);
                shown = browser.go(to, Some(form), back).await;
            }
        }
    }
    panic!("the provider asks again and again");
}
