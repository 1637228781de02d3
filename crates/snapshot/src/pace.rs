//! A store that is asked no faster than it may be, and whose errors do not say what opens it.

use std::fmt;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use smartbox_core::secret::Secret;
use tokio::time::Instant;

/// The store.
pub(crate) struct Paced<T> {
    inner: T,
    name: String,
    bandwidth: Option<Bandwidth>,
    veil: Veil,
}

impl<T: ObjectStore> Paced<T> {
    pub(crate) fn new(inner: T, name: String, bandwidth: Option<u64>, veil: Veil) -> Self {
        Self { inner, name, bandwidth: bandwidth.map(Bandwidth::new), veil }
    }

    /// Waits until what was sent and got before is paid for.
    async fn turn(&self) {
        if let Some(bandwidth) = &self.bandwidth {
            bandwidth.turn().await;
        }
    }

    fn spend(&self, bytes: u64) {
        if let Some(bandwidth) = &self.bandwidth {
            bandwidth.spend(bytes);
        }
    }
}

/// How many bytes a second. Whoever comes takes what it needs and leaves the debt to the next, so that
/// no request is held up once it has begun and none runs into its own deadline.
#[derive(Debug)]
struct Bandwidth {
    per_second: u64,
    /// When everything so far is paid for.
    paid: Mutex<Instant>,
}

impl Bandwidth {
    fn new(per_second: u64) -> Self {
        Self { per_second: per_second.max(1), paid: Mutex::new(Instant::now()) }
    }

    async fn turn(&self) {
        loop {
            let paid = *self.paid.lock().unwrap_or_else(PoisonError::into_inner);
            if paid <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(paid).await;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a duration, to a fraction of itself")]
    fn spend(&self, bytes: u64) {
        let cost = Duration::from_secs_f64(bytes as f64 / self.per_second as f64);
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        // Time in which nothing was asked is not saved up.
        *paid = (*paid).max(Instant::now()) + cost;
    }
}

/// What must not stand in any text: a server may send back what it was sent.
#[derive(Clone)]
pub(crate) struct Veil(Vec<Secret<String>>);

/// A server's answer is text of anybody's: no more of it than this.
const MOST: usize = 600;

impl Veil {
    pub(crate) fn over(secrets: [Secret<String>; 2]) -> Self {
        Self(secrets.into_iter().filter(|one| !one.expose().is_empty()).collect())
    }

    fn error(&self, error: Error) -> Error {
        let said = |error: &dyn std::error::Error| -> Box<Said> {
            let mut text = short(&error.to_string());
            for secret in &self.0 {
                text = text.replace(secret.expose(), "…");
            }
            Box::new(Said(text.chars().take(MOST).collect()))
        };
        match error {
            Error::Generic { store, source } => Error::Generic { store, source: said(&*source) },
            Error::NotFound { path, source } => Error::NotFound { path, source: said(&*source) },
            Error::AlreadyExists { path, source } => {
                Error::AlreadyExists { path, source: said(&*source) }
            }
            Error::Precondition { path, source } => {
                Error::Precondition { path, source: said(&*source) }
            }
            Error::NotModified { path, source } => {
                Error::NotModified { path, source: said(&*source) }
            }
            Error::PermissionDenied { path, source } => {
                Error::PermissionDenied { path, source: said(&*source) }
            }
            Error::Unauthenticated { path, source } => {
                Error::Unauthenticated { path, source: said(&*source) }
            }
            other => Error::Generic { store: "S3", source: said(&other) },
        }
    }
}

/// What a server said, without the document around it.
fn short(text: &str) -> String {
    let Some(at) = text.find("<?xml").or_else(|| text.find("<Error")) else {
        return text.to_owned();
    };
    let part = |name: &str| {
        let (_, after) = text.split_once(&format!("<{name}>"))?;
        after.split_once(&format!("</{name}>")).map(|(inner, _)| inner)
    };
    let code = part("Code").unwrap_or("an error without a code");
    let message = part("Message").map(|message| format!(": {message}")).unwrap_or_default();
    format!("{}{code}{message}", &text[..at])
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Said(String);

impl<T> fmt::Debug for Paced<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl<T> fmt::Display for Paced<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[async_trait]
impl<T: ObjectStore> ObjectStore for Paced<T> {
    async fn put_opts(&self, at: &Path, what: PutPayload, how: PutOptions) -> Result<PutResult> {
        self.turn().await;
        self.spend(what.content_length() as u64);
        self.inner.put_opts(at, what, how).await.map_err(|error| self.veil.error(error))
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.turn().await;
        self.inner.put_multipart_opts(at, how).await.map_err(|error| self.veil.error(error))
    }

    async fn get_opts(&self, at: &Path, how: GetOptions) -> Result<GetResult> {
        self.turn().await;
        let head = how.head;
        let got = self.inner.get_opts(at, how).await.map_err(|error| self.veil.error(error))?;
        if !head {
            self.spend(got.range.end.saturating_sub(got.range.start));
        }
        Ok(got)
    }

    async fn get_ranges(&self, at: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.turn().await;
        self.spend(ranges.iter().map(|range| range.end.saturating_sub(range.start)).sum());
        self.inner.get_ranges(at, ranges).await.map_err(|error| self.veil.error(error))
    }

    fn delete_stream(
        &self,
        which: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let veil = self.veil.clone();
        self.inner.delete_stream(which).map(move |one| one.map_err(|e| veil.error(e))).boxed()
    }

    fn list(&self, beneath: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let veil = self.veil.clone();
        self.inner.list(beneath).map(move |one| one.map_err(|e| veil.error(e))).boxed()
    }

    fn list_with_offset(
        &self,
        beneath: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let veil = self.veil.clone();
        let listed = self.inner.list_with_offset(beneath, offset);
        listed.map(move |one| one.map_err(|e| veil.error(e))).boxed()
    }

    async fn list_with_delimiter(&self, beneath: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(beneath).await.map_err(|error| self.veil.error(error))
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, how).await.map_err(|error| self.veil.error(error))
    }
}
