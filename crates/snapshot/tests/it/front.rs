//! An S3 server of a few lines that can be told to misbehave. What it keeps outlives its moods.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::world::reader;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Method, StatusCode};
use smartbox_core::secret::Secret;
use smartbox_snapshot::{Bucket, Limits, Restic};

/// What is asked of it.
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// The object's name, or the prefix that is listed.
    pub(crate) key: String,
    pub(crate) list: bool,
    pub(crate) headers: HeaderMap,
}

/// What it does instead of answering well.
pub(crate) enum Mood {
    Good,
    /// It answers so, and does nothing.
    Says(u16, String),
    /// It leads elsewhere.
    Leads(u16, String),
    /// It never answers.
    Silent,
    /// It breaks off in the middle of the body.
    Torn,
    /// A byte of the body is another one.
    Wrong,
}

type Moods = Box<dyn FnMut(&Asked) -> Mood + Send>;

#[derive(Clone)]
pub(crate) struct Front {
    address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    objects: Mutex<BTreeMap<String, Bytes>>,
    moods: Mutex<Moods>,
    asked: Mutex<Vec<String>>,
}

pub(crate) const KEY_ID: &str = "AKIACANARYCANARY";
pub(crate) const SECRET: &str = "canary/secret+canary";

impl Front {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            objects: Mutex::default(),
            moods: Mutex::new(Box::new(|_| Mood::Good)),
            asked: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, inner }
    }

    pub(crate) fn bucket(&self) -> Bucket {
        Bucket {
            endpoint: format!("http://{}", self.address),
            bucket: "bucket".to_owned(),
            region: "auto".to_owned(),
            key_id: Secret::new(KEY_ID.to_owned()),
            secret: Secret::new(SECRET.to_owned()),
            path_style: true,
            prefix: String::new(),
            limits: Limits { retries: 2, ..Limits::default() },
        }
    }

    pub(crate) fn driver(&self) -> Restic {
        Restic::bucket(&self.bucket()).unwrap().with_reader(reader())
    }

    /// From now on it behaves so.
    pub(crate) fn behaves(&self, moods: impl FnMut(&Asked) -> Mood + Send + 'static) {
        *self.inner.moods.lock().unwrap() = Box::new(moods);
    }

    /// What was asked since the last time that this was asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.inner.asked.lock().unwrap())
    }

    pub(crate) fn objects(&self) -> BTreeMap<String, Bytes> {
        self.inner.objects.lock().unwrap().clone()
    }
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query: BTreeMap<String, String> = parts.uri.query().map(form).unwrap_or_default();
    let path = decode(parts.uri.path());
    let object = path.strip_prefix("/bucket").unwrap_or("").trim_start_matches('/').to_owned();
    let list = query.contains_key("list-type");
    let key = if list { query.get("prefix").cloned().unwrap_or_default() } else { object };
    let asked = Asked { method: parts.method.clone(), key, list, headers: parts.headers };
    inner.asked.lock().unwrap().push(format!("{} {}", asked.method, asked.key));
    let mood = (inner.moods.lock().unwrap())(&asked);
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    match mood {
        Mood::Says(status, text) => (StatusCode::from_u16(status).unwrap(), text).into_response(),
        Mood::Leads(status, to) => {
            let location = [(http::header::LOCATION, to)];
            (StatusCode::from_u16(status).unwrap(), location).into_response()
        }
        Mood::Silent => std::future::pending().await,
        Mood::Good => inner.does(&asked, &query, &body),
        Mood::Wrong => {
            let (parts, body) = inner.does(&asked, &query, &body).into_parts();
            let mut bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
            let middle = bytes.len() / 2;
            if let Some(byte) = bytes.get_mut(middle) {
                *byte ^= 1;
            }
            Response::from_parts(parts, Body::from(bytes))
        }
        Mood::Torn => {
            let (parts, body) = inner.does(&asked, &query, &body).into_parts();
            let mut bytes = to_bytes(body, usize::MAX).await.unwrap();
            let first = bytes.split_to(bytes.len() / 2);
            let torn = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            let pieces = stream::iter([Ok(first), Err(torn)]).boxed();
            Response::from_parts(parts, Body::from_stream(pieces))
        }
    }
}

impl Inner {
    fn does(&self, asked: &Asked, query: &BTreeMap<String, String>, body: &Bytes) -> Response {
        let mut objects = self.objects.lock().unwrap();
        let key = &asked.key;
        if asked.list {
            return listing(&objects, key, query).into_response();
        }
        let header = |name: &str| asked.headers.get(name).map(|value| value.to_str().unwrap());
        match asked.method.as_str() {
            "PUT" if header("if-none-match").is_some() && objects.contains_key(key) => {
                let text = "<Error><Code>PreconditionFailed</Code></Error>";
                (StatusCode::PRECONDITION_FAILED, text).into_response()
            }
            "PUT" => {
                let whole = match header("x-amz-copy-source") {
                    Some(from) => objects
                        [decode(from).trim_start_matches("/bucket/").trim_start_matches("bucket/")]
                    .clone(),
                    None => body.clone(),
                };
                objects.insert(key.clone(), whole);
                let text = "<CopyObjectResult><ETag>\"tag\"</ETag></CopyObjectResult>";
                ([("etag", "\"tag\"")], text).into_response()
            }
            "POST" => {
                let text = String::from_utf8(body.to_vec()).unwrap();
                let keys = text.split("<Key>").skip(1).map(|rest| rest.split("</Key>").next());
                let mut deleted = String::new();
                for key in keys.flatten() {
                    objects.remove(key);
                    deleted += &format!("<Deleted><Key>{key}</Key></Deleted>");
                }
                format!("<DeleteResult>{deleted}</DeleteResult>").into_response()
            }
            "DELETE" => {
                objects.remove(key);
                StatusCode::NO_CONTENT.into_response()
            }
            _ => match objects.get(key) {
                None => {
                    let text = "<Error><Code>NoSuchKey</Code></Error>";
                    (StatusCode::NOT_FOUND, text).into_response()
                }
                Some(whole) => part(whole, header("range")),
            },
        }
    }
}

fn part(whole: &Bytes, range: Option<&str>) -> Response {
    let date = ("last-modified", "Sat, 28 Nov 2026 01:00:00 GMT".to_owned());
    let tag = ("etag", "\"tag\"".to_owned());
    let Some(range) = range else { return ([date, tag], whole.clone()).into_response() };
    let (from, to) = range.trim_start_matches("bytes=").split_once('-').unwrap();
    let from: usize = from.parse().unwrap();
    let to = to.parse().map_or(whole.len(), |to: usize| (to + 1).min(whole.len()));
    let told = ("content-range", format!("bytes {from}-{}/{}", to - 1, whole.len()));
    (StatusCode::PARTIAL_CONTENT, [date, tag, told], whole.slice(from..to)).into_response()
}

fn listing(
    objects: &BTreeMap<String, Bytes>,
    prefix: &str,
    query: &BTreeMap<String, String>,
) -> String {
    let after = query.get("start-after").map_or("", String::as_str);
    let mut text = "<ListBucketResult><IsTruncated>false</IsTruncated>".to_owned();
    let mut common = std::collections::BTreeSet::new();
    for (key, whole) in objects.iter().filter(|(key, _)| key.starts_with(prefix)) {
        if key.as_str() <= after {
            continue;
        }
        if let (true, Some(at)) = (query.contains_key("delimiter"), key[prefix.len()..].find('/')) {
            common.insert(&key[..=prefix.len() + at]);
            continue;
        }
        text += &format!(
            "<Contents><Key>{key}</Key><LastModified>2026-11-28T01:00:00.000Z</LastModified>\
             <ETag>\"tag\"</ETag><Size>{}</Size></Contents>",
            whole.len()
        );
    }
    for prefix in common {
        text += &format!("<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>");
    }
    text + "</ListBucketResult>"
}

fn form(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn decode(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [a, b, tail @ ..]) => {
                let code = [*a, *b];
                out.push(u8::from_str_radix(std::str::from_utf8(&code).unwrap(), 16).unwrap());
                rest = tail;
            }
            _ => out.push(*first),
        }
    }
    String::from_utf8(out).unwrap()
}

/// For requests that are meant to end by the client's own deadline.
pub(crate) const SHORT: Duration = Duration::from_millis(300);
