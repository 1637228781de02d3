//! The engine room's words as those on the wire.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::ETAG;
use serde::Serialize;
use smartbox_api::config::{ConfigChange, ConfigChanged, RevisionView};
use smartbox_control::Outcome;
use smartbox_core::config::Revision;
use smartbox_core::config::diff::Change;

pub(super) fn changes(changes: Vec<Change>) -> Vec<ConfigChange> {
    let each = |Change { path, before, after }| ConfigChange { path, before, after };
    changes.into_iter().map(each).collect()
}

pub(super) fn revision(revision: Revision) -> RevisionView {
    RevisionView {
        revision: revision.seq,
        at: revision.at,
        actor: revision.actor,
        how: revision.how,
        digest: revision.digest,
        refused: revision.refused,
    }
}

pub(super) fn changed(outcome: Outcome) -> ConfigChanged {
    ConfigChanged {
        revision: outcome.revision,
        digest: outcome.digest,
        changes: changes(outcome.changes),
        overridden: outcome.overridden,
        errors: outcome.faults,
        applied: outcome.applied,
    }
}

/// The answer with the digest of what there is as its tag.
pub(super) fn tagged(digest: &str, body: impl Serialize) -> Response {
    let mut response = Json(body).into_response();
    if let Ok(tag) = HeaderValue::try_from(format!("\"{digest}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
