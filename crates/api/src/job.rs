//! Jobs on the wire: whatever outlives a request, and what happened to it.

use serde::{Deserialize, Serialize};
use smartbox_core::id::{JobId, SmartboxId};
use smartbox_core::job::{Asked, Item, Job};
pub use smartbox_core::job::{Event, Happening, JobFailure, JobState, Outcome, Progress};
use smartbox_core::time::Timestamp;
use utoipa::{IntoParams, ToSchema};

use crate::page::PageQuery;

/// The header by which a client that was cut off says which event it saw last.
pub const LAST_EVENT_HEADER: &str = "last-event-id";

/// A job as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JobView {
    /// Its identifier.
    pub id: JobId,
    /// The box that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<SmartboxId>,
    /// What is done, as `noun.verb`: `box.restart`, `bulk.restart`, …
    pub kind: String,
    /// Where it is.
    pub state: JobState,
    /// Whether it is to be cancelled as soon as its run can stop.
    #[serde(default)]
    pub cancel_requested: bool,
    /// Whether it is to be paused as soon as its run can stop.
    #[serde(default)]
    pub pause_requested: bool,
    /// How far it is.
    pub progress: Progress,
    /// What was asked, without what is secret in it; absent in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub input: Option<serde_json::Value>,
    /// What came of it; absent in listings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub result: Option<serde_json::Value>,
    /// Why nothing came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<JobFailure>,
    /// Times that it was taken up.
    pub attempts: u32,
    /// Times that it was taken up since the platform had ended while it ran.
    pub interruptions: u32,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it was taken up first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// When it is forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl JobView {
    /// As it is listed: without what may be long.
    pub fn listed(job: Job) -> Self {
        Self { input: None, result: None, ..Self::from(job) }
    }
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        Self {
            id: job.id,
            smartbox: job.smartbox,
            kind: job.kind,
            state: job.state,
            cancel_requested: job.asked == Some(Asked::Cancel),
            pause_requested: job.asked == Some(Asked::Pause),
            progress: job.progress,
            input: Some(job.input).filter(|input| !input.is_null()),
            result: job.result,
            failure: job.failure,
            attempts: job.attempts,
            interruptions: job.interruptions,
            created: job.created,
            started: job.started,
            finished: job.finished,
            expires: job.expires,
        }
    }
}

/// One of the boxes of a bulk, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ItemView {
    /// The box's identifier.
    pub smartbox: String,
    /// Its name when the job was asked for.
    pub name: String,
    /// Where it is.
    pub outcome: Outcome,
    /// Why it failed or was skipped, or what is to be known of what was done.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When that was written.
    pub at: Timestamp,
}

impl From<Item> for ItemView {
    fn from(item: Item) -> Self {
        Self {
            smartbox: item.subject,
            name: item.name,
            outcome: item.outcome,
            reason: item.reason,
            at: item.at,
        }
    }
}

/// Which jobs. What is absent does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct JobQuery {
    /// About this box, by name or id.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    pub smartbox: Option<String>,
    /// In this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<JobState>)]
    pub state: Option<JobState>,
    /// Of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How many at most; 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u16>,
    /// The `next` of the page before; the first page if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

impl JobQuery {
    /// Which part of the list.
    pub fn page(&self) -> PageQuery {
        PageQuery { limit: self.limit, cursor: self.cursor.clone() }
    }
}

/// Which events of a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct EventQuery {
    /// Those after the one with this number; `Last-Event-ID` says the same and wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
}
