//! Both logs of a box as lines: what is there, and what comes. Looking wakes nobody.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use smartbox_core::BoxStream;
use smartbox_core::id::SmartboxId;
use smartbox_core::journal::{Entry, MOST};
use smartbox_core::log::{Line, Piece, Place, Split, merge};
use smartbox_core::store;
use smartbox_core::time::Timestamp;
use tokio::time::{Interval, MissedTickBehavior};

use crate::control::Control;
use crate::error::ControlError;

/// How often a followed log is looked at: it is a file that others write.
const LOOK: Duration = Duration::from_millis(250);
/// Bytes from the end in which the last few lines are looked for, first here and then there. The
/// farther is more than a log that init keeps has.
const NEAR: u64 = 256 << 10;
const FAR: u64 = 16 << 20;
/// Bytes before a place in which a time is looked for.
const BEFORE: u64 = 32 << 10;
/// Pages of the engine's log that are read at once.
const PAGES: usize = 64;

/// Which lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// Those of the engine.
    pub engine: bool,
    /// Those of the platform.
    pub platform: bool,
    /// The first of them.
    pub begin: Begin,
    /// At most so many of what is there; the newest.
    pub most: usize,
    /// And what comes from then on, without an end.
    pub follow: bool,
}

/// Where lines begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// The last ones, as many as may be.
    Last,
    /// Those since a time. A line without one has that of the line before, or of the first that has one;
    /// where none has, nothing is left out.
    Since(Timestamp),
    /// Those behind a place, all of them.
    After(Place),
}

impl Control {
    /// Lines of both logs of a box. Followed, they end when the box is removed or the platform goes
    /// down.
    pub async fn lines(
        self: &Arc<Self>,
        id: &SmartboxId,
        which: Lines,
    ) -> Result<BoxStream<'static, Result<Line, ControlError>>, ControlError> {
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut reader = Reader {
            control: self.clone(),
            id: id.clone(),
            which,
            split: Split::new(0),
            place: Place::default(),
            ready: VecDeque::new(),
            tick,
        };
        reader.begin().await?;
        Ok(Box::pin(stream::unfold(reader, |mut reader| async move {
            reader.next().await.map(|line| (line, reader))
        })))
    }
}

struct Reader {
    control: Arc<Control>,
    id: SmartboxId,
    which: Lines,
    split: Split,
    place: Place,
    ready: VecDeque<Line>,
    tick: Interval,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<Line, ControlError>> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(Ok(line));
            }
            if !self.which.follow {
                return None;
            }
            let draining = self.control.draining.clone();
            draining.run_until_cancelled(self.tick.tick()).await?;
            match self.look().await {
                Ok(()) => {}
                Err(ControlError::Missing { .. }) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// What has come since.
    async fn look(&mut self) -> Result<(), ControlError> {
        let pieces = if self.which.engine { self.pieces().await? } else { Vec::new() };
        let entries = self.entries(self.place.platform, Timestamp(i64::MIN)).await?;
        self.ready.extend(merge(pieces, entries, &mut self.place));
        Ok(())
    }

    /// What is there.
    async fn begin(&mut self) -> Result<(), ControlError> {
        let since = match self.which.begin {
            Begin::After(place) => {
                let before = place.engine.saturating_sub(BEFORE);
                let before = self.control.log(&self.id, before).await?;
                (self.place, self.split) = (place, Split::behind(&before, place.engine));
                return self.look().await;
            }
            Begin::Since(time) => time,
            Begin::Last => Timestamp(i64::MIN),
        };
        let mut pieces = Vec::new();
        if self.which.engine {
            let near = self.which.begin == Begin::Last;
            if near {
                pieces = self.last(NEAR).await?;
            }
            if !near || (pieces.len() < self.which.most && self.split.given() > NEAR) {
                pieces = self.last(FAR).await?;
            }
            if !self.which.follow {
                pieces.extend(self.split.rest());
            }
        } else {
            // Whoever goes on with both has not missed what was there.
            self.split = Split::new(self.control.log_tail(&self.id, 0).await?.next);
        }
        if self.which.begin != Begin::Last {
            // What stands before the first time that is told was not written after it.
            let first = pieces.iter().find_map(|piece| piece.time);
            pieces.retain(|piece| piece.time.or(first).is_none_or(|time| time >= since));
        }
        let entries = self.entries(0, since).await?;
        self.place.engine = pieces.first().map_or(self.split.given(), |piece| piece.from);
        self.place.platform = match entries.first() {
            Some((number, _)) => number.saturating_sub(1),
            None => self.newest().await?,
        };
        let mut lines = merge(pieces, entries, &mut self.place);
        lines.drain(..lines.len().saturating_sub(self.which.most));
        self.ready = lines.into();
        Ok(())
    }

    /// The whole lines among the last bytes of the engine's log.
    async fn last(&mut self, bytes: u64) -> Result<Vec<Piece>, ControlError> {
        let end = self.control.log_tail(&self.id, 0).await?.next;
        // One more, to see whether a line begins there.
        let from = end.saturating_sub(bytes + 1);
        let first = self.control.log(&self.id, from).await?;
        self.split = Split::new(first.from);
        let mut pieces = self.split.push(&first);
        pieces.extend(self.pieces().await?);
        if from > 0 && first.from == from && !pieces.is_empty() {
            pieces.remove(0);
        }
        Ok(pieces)
    }

    /// The lines of the engine that follow.
    async fn pieces(&mut self) -> Result<Vec<Piece>, ControlError> {
        let mut pieces = Vec::new();
        for _ in 0..PAGES {
            let page = self.control.log(&self.id, self.split.next()).await?;
            if page.bytes.is_empty() {
                break;
            }
            pieces.extend(self.split.push(&page));
        }
        Ok(pieces)
    }

    /// Entries of the journal, if they are wanted.
    async fn entries(
        &self,
        after: u64,
        since: Timestamp,
    ) -> Result<Vec<(u64, Entry)>, ControlError> {
        let (most, wanted) = (MOST, self.which.platform);
        self.read(after, since, if wanted { most } else { 0 }).await
    }

    /// The number of the newest entry.
    async fn newest(&self) -> Result<u64, ControlError> {
        let last = self.read(0, Timestamp(i64::MIN), 1).await?;
        Ok(last.last().map_or(0, |(number, _)| *number))
    }

    async fn read(
        &self,
        after: u64,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(u64, Entry)>, ControlError> {
        let id = self.id.clone();
        let read = store::read(&*self.control.parts.store, move |tx| {
            Box::pin(async move {
                if tx.boxes().get(id.clone()).await?.is_none() {
                    return Ok(None);
                }
                tx.journal().read(id, after, since, limit).await.map(Some)
            })
        });
        read.await?.ok_or(ControlError::Missing { what: "smartbox" })
    }
}
