//! What the records tell of a box, out and in again: messages and revisions of its configuration. The
//! documents of revisions stay, since they may hold credentials; the newest is in the home anyway.

use std::io;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use smartbox_core::config::Revision;
use smartbox_core::id::{MessageId, SmartboxId};
use smartbox_core::message::{Delivery, Message};
use smartbox_core::store;
use tokio::sync::mpsc;

use crate::control::Control;
use crate::error::ControlError;

/// Rows that are read or written in one go.
const PAGE: u32 = 500;
/// Bytes after which another part begins.
const PART: usize = 4 << 20;
/// The longest line that is read.
const LINE: usize = 4 << 20;

/// A line of the history; the newest come first.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Message(Message),
    Revision(Revision),
}

impl Control {
    /// Tells the history of a box, in parts, the newest first; an empty one is the end.
    pub(super) async fn tell_history(
        &self,
        id: &SmartboxId,
        parts: mpsc::Sender<io::Result<Bytes>>,
    ) -> Result<(), ControlError> {
        let mut part = Vec::new();
        let mut before = None;
        loop {
            let page = self.messages(id, before, PAGE).await?;
            let Some(last) = page.last() else { break };
            before = Some(last.id.clone());
            for message in page {
                if !add(&mut part, &Line::Message(message), &parts).await {
                    return Ok(());
                }
            }
        }
        let mut before = None;
        loop {
            let page = self.config_history(id, before, PAGE).await?;
            let Some(last) = page.last() else { break };
            before = Some(last.seq);
            for revision in page {
                if !add(&mut part, &Line::Revision(revision), &parts).await {
                    return Ok(());
                }
            }
        }
        if !part.is_empty() && parts.send(Ok(part.into())).await.is_err() {
            return Ok(());
        }
        // If nobody reads any more, nobody misses the end.
        let _ = parts.send(Ok(Bytes::new())).await;
        Ok(())
    }

    /// Writes the messages of a part down as those of another box. Says how many.
    pub(super) async fn take_history(
        &self,
        id: &SmartboxId,
        part: &[u8],
    ) -> Result<u64, ControlError> {
        let lines = part.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut messages = Vec::new();
        for line in lines {
            let told = (line.len() <= LINE).then(|| serde_json::from_slice::<Line>(line).ok());
            match told.flatten() {
                Some(Line::Message(message)) => messages.push(self.anew(id, message)),
                Some(Line::Revision(_)) => {}
                None => return Err(super::damaged()),
            }
        }
        messages.reverse();
        let count = messages.len() as u64;
        for some in messages.chunks(PAGE as usize) {
            let some = some.to_vec();
            store::write(&*self.parts.store, move |tx| {
                Box::pin(async move {
                    for message in some {
                        tx.messages().add(message).await?;
                    }
                    Ok(())
                })
            })
            .await
            .inspect_err(|error| self.heed(error))?;
        }
        Ok(count)
    }

    /// The same message in this box. What was under way when it was told will not be answered here: it
    /// was, or is, where the box came from.
    fn anew(&self, id: &SmartboxId, message: Message) -> Message {
        let (state, error) = match message.state.is_final() {
            true => (message.state, message.error),
            false => {
                let why = "it was not answered yet when the box was exported";
                (Delivery::Failed, Some(why.to_owned()))
            }
        };
        Message {
            id: MessageId::generate(&*self.parts.entropy),
            smartbox: id.clone(),
            finished: message.finished.or(Some(message.created)),
            state,
            error,
            ..message
        }
    }
}

/// False if nobody reads any more.
async fn add(part: &mut Vec<u8>, line: &Line, parts: &mpsc::Sender<io::Result<Bytes>>) -> bool {
    // Rows are text and numbers: they can always be written.
    part.extend(serde_json::to_vec(line).unwrap_or_default());
    part.push(b'\n');
    part.len() < PART || parts.send(Ok(std::mem::take(part).into())).await.is_ok()
}
