//! Files on their way, as they come.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::stream;
use http::header::{CONTENT_LENGTH, HeaderName};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use smartbox_api::call::{self, Call};
use smartbox_api::file::{CONTENT, digest_header, digest_of};
use tokio::sync::mpsc;

use super::Client;
use super::connect::Outgoing;
use super::send::whole;
use crate::error::CliError;

/// A file or folder that comes.
pub(crate) struct Download {
    /// Its length, if the platform says so.
    pub(crate) len: Option<u64>,
    /// Its SHA-256, if the platform says so.
    pub(crate) digest: Option<[u8; 32]>,
    body: Incoming,
}

impl Client {
    /// Begins to read.
    pub(crate) async fn download(&self, call: &Call<call::Content>) -> Result<Download, CliError> {
        let want = [(HeaderName::from_static("want-repr-digest"), "sha-256=1".to_owned())];
        let reply = self.send_with(call, &want, None).await?;
        let text = |name: &str| reply.headers().get(name).and_then(|value| value.to_str().ok());
        let len = text("content-length").and_then(|text| text.parse().ok());
        let digest = text("repr-digest").and_then(digest_of);
        Ok(Download { len, digest, body: reply.into_body() })
    }

    /// Sends what comes through the channel, of this length and digest if they are known. Returns the
    /// digest of what was sent, and what the platform says.
    pub(crate) async fn upload<T: DeserializeOwned>(
        &self,
        call: &Call<call::Json<T>>,
        pieces: mpsc::Receiver<Bytes>,
        known: Option<(u64, [u8; 32])>,
        sent: impl Fn(usize) + Send + 'static + Clone,
    ) -> Result<([u8; 32], T), CliError> {
        let hash = Arc::new(Mutex::new(Sha256::new()));
        let (hashing, counting) = (hash.clone(), sent);
        let parts = stream::unfold(pieces, move |mut pieces| {
            let (hash, sent) = (hashing.clone(), counting.clone());
            async move {
                let piece = pieces.recv().await?;
                hash.lock().unwrap_or_else(PoisonError::into_inner).update(&piece);
                sent(piece.len());
                Some((Ok(Frame::data(piece)), pieces))
            }
        });
        let body: Outgoing = StreamBody::new(parts).boxed_unsync();
        let headers: Vec<(HeaderName, String)> = known
            .map(|(len, digest)| {
                let name = HeaderName::from_static("repr-digest");
                [(CONTENT_LENGTH, len.to_string()), (name, digest_header(&digest))]
            })
            .into_iter()
            .flatten()
            .collect();
        let reply = self.send_with(call, &headers, Some((CONTENT, body))).await?;
        let bytes = whole(reply).await?;
        let said = serde_json::from_slice(&bytes).map_err(|e| CliError::Garbled(e.to_string()))?;
        let hash = hash.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok((hash.finalize().into(), said))
    }
}

impl Download {
    /// The next bytes; `None` at the end.
    pub(crate) async fn next_part(&mut self) -> Result<Option<Bytes>, CliError> {
        loop {
            match self.body.frame().await {
                None => return Ok(None),
                Some(Err(error)) => return Err(CliError::Broken(error.into())),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}
