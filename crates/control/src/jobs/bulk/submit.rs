//! Taking a bulk in: the job and an item for each box, in one piece.

use std::sync::Arc;

use serde_json::Value;
use smartbox_core::id::AccountId;
use smartbox_core::job::Job;
use smartbox_core::secret::Secret;
use smartbox_core::smartbox::Smartbox;

use super::{MAX_BOXES, MAX_CONCURRENCY, MAX_DELAY, Pace, config, restart};
use crate::config::bounded;
use crate::control::Control;
use crate::error::ControlError;
use crate::jobs::NewJob;
use crate::parts::Actor;

/// Something to be done to many boxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBulk {
    /// To which, in this order.
    pub boxes: Vec<Smartbox>,
    /// How fast.
    pub pace: Pace,
}

impl Control {
    /// Restarts many boxes as one job of this account.
    pub async fn bulk_restart(
        self: &Arc<Self>,
        actor: &Actor,
        account: &AccountId,
        new: NewBulk,
    ) -> Result<Job, ControlError> {
        let input = pace(&new);
        self.bulk(actor, account, restart::KIND, new, (input, None)).await
    }

    /// Merges a patch into the configuration of many boxes' engines, as one job of this account.
    /// The patch is sealed with the job.
    pub async fn bulk_config(
        self: &Arc<Self>,
        actor: &Actor,
        account: &AccountId,
        new: NewBulk,
        patch: &Value,
    ) -> Result<Job, ControlError> {
        let text = Secret::new(bounded(patch)?);
        let mut input = pace(&new);
        input["keys"] = config::places(patch).into();
        self.bulk(actor, account, config::KIND, new, (input, Some(text))).await
    }

    async fn bulk(
        self: &Arc<Self>,
        actor: &Actor,
        account: &AccountId,
        kind: &'static str,
        new: NewBulk,
        (input, sealed): (Value, Option<Secret<String>>),
    ) -> Result<Job, ControlError> {
        check(&new)?;
        let items = new.boxes.into_iter().map(|row| (row.id.to_string(), row.name)).collect();
        let job = NewJob { smartbox: None, kind, key: None, input, sealed, items };
        self.submit(actor, account, job).await
    }
}

fn pace(new: &NewBulk) -> Value {
    serde_json::to_value(&new.pace).unwrap_or_default()
}

fn check(new: &NewBulk) -> Result<(), ControlError> {
    let refused = |why: String, hint: &str| Err(ControlError::Refused { why, hint: hint.into() });
    if new.boxes.is_empty() {
        return refused("no smartbox is meant".into(), "`smartbox ls` shows those that there are");
    }
    if new.boxes.len() > MAX_BOXES {
        return refused(format!("more than {MAX_BOXES} smartboxes are meant"), "do it in parts");
    }
    if !(1..=MAX_CONCURRENCY).contains(&new.pace.concurrency) {
        let why = format!("`concurrency` is a number from 1 to {MAX_CONCURRENCY}");
        return refused(why, "");
    }
    if u128::from(new.pace.delay_ms) > MAX_DELAY.as_millis() {
        return refused("`delay_ms` is at most an hour".into(), "");
    }
    Ok(())
}
