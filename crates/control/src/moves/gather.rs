//! Everything that is to be imported is taken in, wherever it comes from.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};
use smartbox_core::home::port::FileError;
use smartbox_core::moves::port::Bucket;
use smartbox_core::moves::{Origin, detect};

use super::import::Source;
use super::incoming::Incoming;
use super::raw::{Head, Raw};
use super::together::unclear;
use super::{copy, fetch, incoming, refused, unpack};
use crate::error::ControlError;
use crate::files::Arriving;

/// Objects of a bucket that are asked for at the same time.
const AT_ONCE: usize = 8;

/// What came in.
pub(super) struct Came {
    pub(super) raw: Raw,
    /// In which directory of it to look.
    pub(super) within: String,
    /// What it is known to be, whatever it looks like by itself.
    pub(super) origin: Option<Origin>,
}

/// Takes everything in.
pub(super) async fn gather(
    source: Source,
    within: String,
    inner: PathBuf,
    room: u64,
) -> Result<Came, ControlError> {
    let root = inner.join("raw");
    let raw = blocking(move || {
        std::fs::create_dir(&inner).map_err(|e| super::failed("making a stage", e))?;
        Raw::new(root, room)
    });
    let raw = raw.await?;
    let raw = match source {
        Source::Archive(body) => {
            reading(raw, body, |raw, bytes| unpack::unpack(raw, b"", bytes)).await?
        }
        Source::Path(path) => from_path(raw, path).await?,
        Source::Bucket { bucket, prefix } => {
            return from_bucket(raw, &*bucket, &prefix, within).await;
        }
    };
    Ok(Came { raw, within, origin: None })
}

/// Lets `work` read a body as it comes, on a thread that may wait.
async fn reading(
    mut raw: Raw,
    body: Arriving,
    work: impl FnOnce(&mut Raw, Incoming) -> Result<(), ControlError> + Send + 'static,
) -> Result<Raw, ControlError> {
    let (sender, incoming) = incoming::channel();
    let done = blocking(move || work(&mut raw, incoming).map(|()| raw));
    tokio::join!(done, incoming::feed(body, sender)).0
}

/// Ends a copy whose caller went away.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

async fn from_path(mut raw: Raw, path: PathBuf) -> Result<Raw, ControlError> {
    let over = Over(Arc::default());
    let seen = over.0.clone();
    blocking(move || {
        let meta = std::fs::metadata(&path).map_err(|_| unreadable(&path))?;
        if meta.is_dir() {
            copy::copy(&mut raw, &path, &seen)?;
        } else if meta.is_file() {
            let file = File::open(&path).map_err(|_| unreadable(&path))?;
            unpack::unpack(&mut raw, b"", file)?;
        } else {
            return Err(unreadable(&path));
        }
        Ok(raw)
    })
    .await
}

fn unreadable(path: &Path) -> ControlError {
    refused(
        format!("`{}` is no directory and no file that the platform can read", path.display()),
        "name one on the machine that the platform runs on",
    )
}

async fn from_bucket(
    mut raw: Raw,
    bucket: &dyn Bucket,
    prefix: &str,
    within: String,
) -> Result<Came, ControlError> {
    let found = fetch::list(bucket, prefix).await?;
    let layout = detect(&found, &within).map_err(|e| unclear(&e))?;
    if let Some(archive) = layout.archive() {
        let body = fetch::get(bucket, prefix, &archive).await?;
        let raw = reading(raw, body, |raw, bytes| unpack::unpack(raw, b"", bytes)).await?;
        return Ok(Came { raw, within: String::new(), origin: Some(layout.origin) });
    }
    let belongs = |path: &[u8]| super::raw::clean(path).is_ok_and(|clean| clean == path);
    let (wanted, odd): (Vec<_>, Vec<_>) = found
        .into_iter()
        .filter(|one| layout.concerns(&one.path))
        .partition(|one| belongs(&one.path));
    for one in odd {
        raw.pass(one.path, "its name cannot be a file's")?;
    }
    let bodies = stream::iter(wanted).map(|one| async move {
        let body = fetch::get(bucket, prefix, &one.path).await;
        body.map(|body| (one.path, body))
    });
    let mut bodies = bodies.buffered(AT_ONCE);
    while let Some(next) = bodies.next().await {
        let (path, body) = next?;
        let head = Head { path, mode: 0o600, modified: 0 };
        raw = reading(raw, body, |raw, bytes| raw.file(head, bytes)).await?;
    }
    Ok(Came { raw, within, origin: None })
}

/// Does what may wait for a disk on a thread that may wait.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ControlError> + Send + 'static,
) -> Result<T, ControlError> {
    let broken = |e| FileError::Broken { doing: "importing", source: Box::new(e) };
    tokio::task::spawn_blocking(work).await.map_err(broken)?
}
