//! `POST /boxes/{name}/snapshots`: a button of the page. The same calls as those of the API, and then the
//! page again.

use axum::extract::{Path, State};
use axum::response::Redirect;
use serde::Deserialize;
use smartbox_control::SnapshotJob;
use smartbox_core::snapshot::Generation;

use crate::app::App;
use crate::http::body::Form;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// What the button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verb {
    Take,
    Drill,
    Restore,
    Fork,
}

/// A form of the page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    verb: Verb,
    /// Which one.
    generation: Option<u64>,
    /// The name of a new box.
    new: Option<String>,
}

pub(super) async fn change(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Form(wanted): Form<Wanted>,
) -> Result<Redirect, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let page = format!("/boxes/{}/snapshots", row.name);
    let generation = wanted.generation.map(Generation);
    let what = match wanted.verb {
        Verb::Take => SnapshotJob::Take,
        Verb::Drill => SnapshotJob::Drill,
        Verb::Restore => SnapshotJob::Restore {
            generation: generation.ok_or_else(|| Trouble::missing("snapshot"))?,
            paths: Vec::new(),
        },
        Verb::Fork => SnapshotJob::Fork { generation, name: wanted.new.unwrap_or_default() },
    };
    app.control.snapshot_later(&who.actor, &row, what).await?;
    Ok(Redirect::to(&page))
}
