//! A box moves out, as one archive.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use smartbox_core::BoxStream;
use smartbox_core::audit::Act;
use smartbox_core::id::SmartboxId;
use smartbox_core::moves::Record;
use smartbox_core::snapshot::port::SnapshotError;
use smartbox_core::store;
use tokio::sync::mpsc;

use super::archive::{self, Head, Outgoing};
use super::incoming::{channel, feed};
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// Pieces under way.
const AHEAD: usize = 4;

impl Control {
    /// The archive of a box: its record, its history, and its home out of `home`, the tar stream of a
    /// snapshot. What comes is an archive only if it comes to its end without an error.
    pub async fn export(
        self: &Arc<Self>,
        actor: &Actor,
        id: &SmartboxId,
        home: BoxStream<'static, Result<Bytes, SnapshotError>>,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, ControlError> {
        let head = self.exported(actor, id).await?;
        let (pieces, coming) = mpsc::channel(AHEAD);
        let (history, lines) = mpsc::channel(AHEAD);
        let (sender, incoming) = channel();
        let (out, last) = (Outgoing::new(pieces.clone()), pieces);
        let written =
            tokio::task::spawn_blocking(move || archive::write(&head, lines, incoming, out));
        let (control, id) = (self.clone(), id.clone());
        self.tasks.spawn(async move {
            let home = home.map_err(io::Error::other).boxed();
            let tell = async {
                if let Err(error) = control.tell_history(&id, history.clone()).await {
                    // Whoever writes the archive ends with it.
                    let _ = history.send(Err(io::Error::other(error))).await;
                }
                drop(history);
            };
            let fed = async { tokio::join!(tell, feed(home, sender)) };
            let work = async { tokio::join!(fed, written).1 };
            let done = control.draining.run_until_cancelled(work).await;
            let failure = match done {
                Some(Ok(Ok(()))) => return,
                Some(Ok(Err(error))) => error,
                Some(Err(error)) => io::Error::other(error),
                None => io::Error::other("the platform is shutting down"),
            };
            tracing::warn!(smartbox = %id, error = %failure, "an export came to no end");
            let _ = last.send(Err(failure)).await;
        });
        let pieces = stream::unfold(coming, async |mut coming| {
            let piece = coming.recv().await?;
            Some((piece, coming))
        });
        Ok(pieces.boxed())
    }

    /// Writes down that a box is exported.
    async fn exported(&self, actor: &Actor, id: &SmartboxId) -> Result<Head, ControlError> {
        let (now, actor, id) = (self.parts.clock.now(), actor.0.clone(), id.clone());
        let missing = || ControlError::Missing { what: "smartbox" };
        let (row, account) = store::write(&*self.parts.store, move |tx| {
            Box::pin(async move {
                let Some(row) = tx.boxes().get(id).await?.filter(|row| !row.removing) else {
                    return Ok(None);
                };
                let account = tx.accounts().get(row.account.clone()).await?;
                let act = Act {
                    account: row.account.clone(),
                    actor,
                    action: "box.export".into(),
                    smartbox: Some(row.id.clone()),
                    detail: row.name.clone(),
                    at: now,
                };
                tx.audit().append(act).await?;
                Ok(account.map(|account| (row, account)))
            })
        })
        .await
        .inspect_err(|error| self.heed(error))?
        .ok_or_else(missing)?;
        let engine_version = self.engine(&row.engine)?.engine.manifest().version.clone();
        Ok(Head { record: Record::of(&row, &account), engine_version, now })
    }
}
