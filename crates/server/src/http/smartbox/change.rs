//! `PATCH /api/v1/boxes/{name}`: changes what an owner decides of a box.

use std::time::Duration;

use axum::extract::{Path, State};
use smartbox_api::problem::Code;
use smartbox_api::smartbox::{BoxChange, SmartboxView};
use smartbox_control::Change;
use smartbox_core::time::parse_duration;

use super::view;
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::revision::{IfMatch, Revision};
use crate::http::trouble::Trouble;

/// The word for the platform's own time.
const DEFAULT: &str = "default";

/// Changes what an owner decides of a box. What is absent stays; the name is for ever.
///
/// A new tier takes effect at the next start: `tier` is the one that is meant, `running_tier` the
/// one that its sandbox has. Wakes nothing, unless the box was off and is wished to run.
#[utoipa::path(
    patch,
    path = "/api/v1/boxes/{name}",
    tag = "boxes",
    params(IfMatch),
    request_body = BoxChange,
    responses((status = 200, body = SmartboxView, description = "The box as it is now.",
        headers(("etag" = String, description = "Its revision.")))),
)]
pub(super) async fn change(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    seen: IfMatch,
    Json(change): Json<BoxChange>,
) -> Result<(Revision, axum::Json<SmartboxView>), Trouble> {
    let row = app.control.find(&who, &name).await?;
    let expected = seen.expect(row.revision)?;
    let change = Change {
        display: change.display_name,
        labels: change.labels.into_iter().collect(),
        tier: change.tier,
        desired: change.desired,
        freeze_after: time("sleep_after", change.sleep_after)?,
        stop_after: time("stop_after", change.stop_after)?,
    };
    let row = app.control.change_box(&who.actor, &row.id, change, expected).await?;
    let view = view::whole(&app, app.control.view(&row.id).await?);
    Ok((Revision(view.revision), axum::Json(view)))
}

type Time = Option<Option<Duration>>;

fn time(key: &str, text: Option<String>) -> Result<Time, Trouble> {
    let Some(text) = text else { return Ok(None) };
    if text == DEFAULT {
        return Ok(Some(None));
    }
    let bad = |why: String| {
        let hint = "write a time like `10m`, or `default`; a box that is `on` never sleeps";
        Trouble::new(Code::BadRequest, format!("{key}: {why}"), hint)
    };
    parse_duration(&text).map(|time| Some(Some(time))).map_err(|error| bad(error.to_string()))
}
