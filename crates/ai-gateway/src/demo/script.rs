//! What the demo model sends, and when: pieces of bytes with a pause before each.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::Response;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use serde_json::Value;

use crate::call::relay::Bytestream;

/// A stream of server-sent events being written down.
#[derive(Debug, Default)]
pub(crate) struct Script(Vec<(Duration, Bytes)>);

impl Script {
    /// A named event, as Anthropic sends them: its name stands in its data as well.
    pub(crate) fn event(&mut self, pause: Duration, data: &Value) {
        let name = data["type"].as_str().unwrap_or("message");
        self.0.push((pause, Bytes::from(format!("event: {name}\ndata: {data}\n\n"))));
    }

    /// A nameless event, as OpenAI sends them.
    pub(crate) fn data(&mut self, pause: Duration, data: &str) {
        self.0.push((pause, Bytes::from(format!("data: {data}\n\n"))));
    }

    /// The answer that plays it.
    pub(crate) fn play(self) -> Response<Bytestream> {
        let pieces = stream::unfold(self.0.into_iter(), |mut left| async move {
            let (pause, piece) = left.next()?;
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            Some((Ok(piece), left))
        });
        let mut response = Response::new(Box::pin(pieces) as Bytestream);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        response
    }
}

/// An answer in one piece.
pub(crate) fn whole(body: &Value) -> Response<Bytestream> {
    let body = Bytes::from(body.to_string());
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Box::pin(stream::iter([Ok(body)])) as Bytestream);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, length);
    response
}

/// The words of a text, each with the white space after it.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive([' ', '\n'])
}
