//! Learns which model a request is for while holding no more of it than that takes. The rest
//! streams; should it contradict what was read (a second `model`), it ends in an error before the
//! provider has a whole request.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::call::inbound::Inbound;
use crate::call::refuse::Refusal;
use crate::json::scan::{ScanError, Scanner};

/// Longest model name, quoted.
const LONGEST_MODEL: usize = 258;

/// A request body whose model is known.
pub(crate) struct Peeked {
    model: String,
    range: Range<usize>,
    head: Vec<Bytes>,
    reading: Reading,
    exact: Option<u64>,
}

struct Reading {
    scanner: Scanner,
    inbound: Inbound,
    held: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

/// Reads until the model is known. `held` counts the bytes that all calls hold.
pub(crate) async fn peek(inbound: Inbound, held: &Arc<Semaphore>) -> Result<Peeked, Refusal> {
    let exact = inbound.exact();
    let scanner = Scanner::new("model", LONGEST_MODEL);
    let mut reading = Reading { scanner, inbound, held: held.clone(), permit: None };
    let mut head = Vec::new();
    loop {
        let piece = reading.next().await?;
        if let Some(piece) = piece {
            reading.hold(piece.len())?;
            head.push(piece);
        } else if reading.scanner.found().is_none() {
            let why = if reading.scanner.ended() {
                "it names no `model`"
            } else {
                "it is not a JSON object"
            };
            return Err(Refusal::Body(why.to_owned()));
        }
        if let Some(found) = reading.scanner.found() {
            let model = serde_json::from_slice::<String>(&found.raw)
                .ok()
                .filter(|model| !model.trim().is_empty() && !model.contains(char::is_control))
                .ok_or_else(|| Refusal::Body("its `model` is not a name".to_owned()))?;
            let range = found.range.clone();
            return Ok(Peeked { model, range, head, reading, exact });
        }
    }
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        let piece = self.inbound.next().await?;
        if let Some(piece) = &piece {
            self.scanner
                .feed(piece)
                .map_err(|error: ScanError| Refusal::Body(error.to_string()))?;
        }
        Ok(piece)
    }

    fn hold(&mut self, bytes: usize) -> Result<(), Refusal> {
        let bytes = u32::try_from(bytes).map_err(|_| Refusal::Busy)?;
        let more = self.held.clone().try_acquire_many_owned(bytes).map_err(|_| Refusal::Busy)?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

impl Peeked {
    /// The model that is asked for.
    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// The body's length, if the request told it.
    pub(crate) fn exact(&self) -> Option<u64> {
        self.exact
    }

    /// Asks for another model instead. Every other byte stays as it is.
    pub(crate) fn rename(&mut self, to: &str) {
        let quoted = serde_json::Value::from(to).to_string();
        let head = self.head.concat();
        let mut spliced = BytesMut::with_capacity(head.len() + quoted.len());
        spliced.extend_from_slice(&head[..self.range.start]);
        spliced.extend_from_slice(quoted.as_bytes());
        spliced.extend_from_slice(&head[self.range.end..]);
        let grown = |n: u64| n.checked_add(spliced.len() as u64)?.checked_sub(head.len() as u64);
        self.exact = self.exact.and_then(grown);
        self.range.end = self.range.start + quoted.len();
        self.head = vec![spliced.freeze()];
    }

    /// The whole body, and what holds its place until it is dropped.
    pub(crate) async fn whole(
        mut self,
    ) -> Result<(Vec<u8>, Option<OwnedSemaphorePermit>), Refusal> {
        while let Some(piece) = self.reading.next().await? {
            self.reading.hold(piece.len())?;
            self.head.push(piece);
        }
        Ok((self.head.concat(), self.reading.permit))
    }

    /// The body as a stream. What ends it early is put into `why`, too.
    pub(crate) fn stream(
        self,
        why: Arc<OnceLock<Refusal>>,
    ) -> impl Stream<Item = Result<Bytes, Refusal>> + Send + 'static {
        let state = (self.head.into_iter(), self.reading, why);
        stream::try_unfold(state, |(mut head, mut reading, why)| async move {
            if let Some(piece) = head.next() {
                return Ok(Some((piece, (head, reading, why))));
            }
            reading.permit = None;
            match reading.next().await {
                Ok(piece) => Ok(piece.map(|piece| (piece, (head, reading, why)))),
                Err(refusal) => {
                    let _ = why.set(refusal.clone());
                    Err(refusal)
                }
            }
        })
    }
}
