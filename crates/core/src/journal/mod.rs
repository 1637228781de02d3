//! A box's journal: what the platform did with it and why, kept bounded.
//!
//! Its entries are derived from what changed in the row, so that nothing is told that did not happen
//! and nothing enters that is not listed here: no message, no body, no secret.

pub mod port;

use serde::{Deserialize, Serialize};

use crate::id::SmartboxId;
use crate::smartbox::{Rest, Smartbox};
use crate::time::Timestamp;

/// The most entries that are kept of one box; the oldest go first.
pub const MOST: u32 = 1_000;
/// The longest detail, in characters.
const DETAIL: usize = 500;

/// One thing that the platform did with a box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The box.
    pub smartbox: SmartboxId,
    /// When.
    pub at: Timestamp,
    /// What, in one word or two: `state`, `wish`, `strike`, …
    pub event: String,
    /// The rest of the sentence.
    pub detail: String,
}

/// What a change of the row tells, in order. `act` is who acted and what they asked for, if somebody did.
pub fn between(
    before: &Smartbox,
    after: &Smartbox,
    act: Option<(&str, &str)>,
    at: Timestamp,
) -> Vec<Entry> {
    let mut told = Vec::new();
    let mut tell = |event: &str, detail: String| {
        told.push(Entry {
            smartbox: after.id.clone(),
            at,
            event: event.to_owned(),
            detail: detail.chars().take(DETAIL).collect(),
        });
    };
    if let Some((actor, action)) = act {
        tell("asked", format!("{action} by {actor}"));
    }
    if before.desired != after.desired {
        tell("desired", format!("{} instead of {}", after.desired, before.desired));
    }
    if before.rest != after.rest {
        tell("rest", after.rest.map_or("over", Rest::as_str).to_owned());
    }
    let (old, new) = (&before.vitals.breaker, &after.vitals.breaker);
    if let Some(strike) = new.strikes.last().filter(|last| !old.strikes.contains(last)) {
        tell("strike", format!("{}, {} within the window", strike.reason, new.strikes.len()));
    }
    match (&old.open, &new.open) {
        (None, Some(_)) => tell("breaker", "open: it is not started again by itself".into()),
        (Some(_), None) => tell("breaker", "reset".into()),
        _ => {}
    }
    if let Some(exit) = after.vitals.exit.filter(|exit| Some(*exit) != before.vitals.exit) {
        let how = match (exit.code, exit.signal) {
            (_, Some(signal)) => format!("signal {signal}"),
            (Some(code), None) => format!("code {code}"),
            (None, None) => "an unknown status".into(),
        };
        tell("exit", format!("the engine ended by itself with {how} ({})", exit.reason));
    }
    if before.epoch != after.epoch {
        tell("start", format!("number {}", after.epoch));
    }
    if let (None, Some(took)) = (before.vitals.start_ms, after.vitals.start_ms) {
        tell("ready", format!("after {took} ms"));
    }
    if before.state != after.state {
        tell("state", format!("{} → {}", before.state, after.state));
    }
    if let Some(failure) = after.failure.as_ref().filter(|f| before.failure.as_ref() != Some(f)) {
        tell("failed", format!("{}: {}", failure.reason, failure.message));
    }
    if after.removing && !before.removing {
        tell("removing", "home and all".into());
    }
    told
}

#[cfg(test)]
mod tests;
