//! Bytes of something in a snapshot, as a stream: of one file as they are, or of everything beneath as a
//! tar archive. Whoever stops listening stops the reading, and no more than a few pieces are in memory.

use std::io::{self, Read, Write};
use std::vec::IntoIter;

use bytes::{Buf, Bytes};
use futures_util::{StreamExt, stream};
use rustic_core::DataId;
use rustic_core::repofile::Node;
use smartbox_core::BoxStream;
use smartbox_core::home::FilePath;
use smartbox_core::snapshot::port::{Form, SnapshotError};
use smartbox_core::snapshot::{RepositoryOf, SnapshotId};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::backend::shut;
use crate::driver::Restic;
use crate::gate::Gate;
use crate::open::open;
use crate::shown::{Shown, damage, missing};
use crate::tar;

pub(crate) type Pieces = BoxStream<'static, Result<Bytes, SnapshotError>>;

/// Pieces on their way, and how long one is at most.
const AHEAD: usize = 8;
const PIECE: usize = 128 << 10;

impl Restic {
    pub(crate) async fn stream(
        &self,
        of: &RepositoryOf,
        id: SnapshotId,
        path: FilePath,
        form: Form,
    ) -> Result<Pieces, SnapshotError> {
        let held = self.readers(&of.smartbox).read_owned().await;
        let backend = self.backend(&of.smartbox);
        let (gate, key) = (backend.gate.clone(), of.key.clone());
        let (begun, begin) = oneshot::channel();
        let (sender, receiver) = mpsc::channel(AHEAD);
        let thread = tokio::task::spawn_blocking(move || {
            let _held = held;
            let ready = || {
                let shown = Shown::open(open(backend, &key)?, &id)?;
                let node = shown.find(&path)?;
                match (&node, form) {
                    (Some(node), Form::File) if node.is_file() => {}
                    (_, Form::File) => return Err(missing()),
                    (_, Form::Tar) => {}
                }
                Ok((shown, node))
            };
            let (shown, node) = match ready() {
                Ok(ready) => ready,
                Err(error) => return drop(begun.send(Err(error))),
            };
            if begun.send(Ok(())).is_err() {
                return;
            }
            let mut out = Out { sender, failed: None };
            let done = match (node, form) {
                (Some(node), Form::File) => File::of(&shown, &node).copy(&mut out),
                (node, _) => tar::write(&shown, node.as_ref(), &mut out),
            };
            out.end(done);
        });
        match begin.await {
            Ok(Ok(())) => Ok(pieces(receiver, thread, gate)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(broken(thread, &gate).await),
        }
    }
}

fn pieces(
    receiver: mpsc::Receiver<Result<Bytes, SnapshotError>>,
    thread: JoinHandle<()>,
    gate: Gate,
) -> Pieces {
    let state = Some((receiver, thread, gate));
    stream::unfold(state, async |state| {
        let (mut receiver, thread, gate) = state?;
        match receiver.recv().await {
            Some(Ok(piece)) => Some((Ok(piece), Some((receiver, thread, gate)))),
            Some(Err(error)) => Some((Err(error), None)),
            // It ends well only if the thread did.
            None => match thread.await {
                Ok(()) => None,
                Err(error) => Some((Err(fallen(&gate, error)), None)),
            },
        }
    })
    .boxed()
}

async fn broken(thread: JoinHandle<()>, gate: &Gate) -> SnapshotError {
    match thread.await {
        Err(error) => fallen(gate, error),
        Ok(()) => missing(),
    }
}

fn fallen(gate: &Gate, source: tokio::task::JoinError) -> SnapshotError {
    shut(gate, "snapshot").unwrap_or_else(|| SnapshotError::Broken {
        doing: "reading out of a snapshot",
        source: source.into(),
    })
}

/// Where the bytes go. Nobody listening is an error of writing, which ends it.
pub(crate) struct Out {
    sender: mpsc::Sender<Result<Bytes, SnapshotError>>,
    failed: Option<SnapshotError>,
}

impl Out {
    pub(crate) fn send(&mut self, mut bytes: Bytes) -> io::Result<()> {
        while bytes.has_remaining() {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            self.sender.blocking_send(Ok(piece)).map_err(|_| io::ErrorKind::BrokenPipe)?;
        }
        Ok(())
    }

    fn end(self, done: Result<(), SnapshotError>) {
        if let Err(error) = self.failed.map_or(done, Err) {
            // Nobody may be there to hear it.
            let _ = self.sender.blocking_send(Err(error));
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send(Bytes::copy_from_slice(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file's contents, piece after piece.
pub(crate) struct File<'a> {
    shown: &'a Shown,
    left: IntoIter<DataId>,
    piece: Bytes,
    /// Bytes that are still to come.
    size: u64,
    /// Why it could not go on: an error of reading cannot say it.
    pub(crate) failed: Option<SnapshotError>,
}

impl<'a> File<'a> {
    pub(crate) fn of(shown: &'a Shown, node: &Node) -> Self {
        let left = node.content.clone().unwrap_or_default().into_iter();
        Self { shown, left, piece: Bytes::new(), size: node.meta.size, failed: None }
    }

    /// The next piece; none at the end.
    fn next(&mut self) -> Result<Option<Bytes>, SnapshotError> {
        let Some(id) = self.left.next() else {
            return if self.size == 0 { Ok(None) } else { Err(uneven()) };
        };
        let piece = self.shown.piece(id)?;
        self.size = self.size.checked_sub(piece.len() as u64).ok_or_else(uneven)?;
        Ok(Some(piece))
    }

    fn copy(mut self, out: &mut Out) -> Result<(), SnapshotError> {
        while let Some(piece) = self.next()? {
            if out.send(piece).is_err() {
                break;
            }
        }
        Ok(())
    }
}

impl Read for File<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.next() {
                Ok(Some(piece)) => self.piece = piece,
                Ok(None) => return Ok(0),
                Err(error) => {
                    let text = error.to_string();
                    self.failed = Some(error);
                    return Err(io::Error::other(text));
                }
            }
        }
        let most = out.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut out[..most]);
        Ok(most)
    }
}

fn uneven() -> SnapshotError {
    damage("a file in it is not as long as it says".into())
}
