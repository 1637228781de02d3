//! `GET /metrics`: what is counted and seen, as OpenMetrics text. Asks no record and no sandbox.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use crate::app::App;
use crate::metrics::{Build, MEDIA_TYPE, Seen};

/// What is counted, for Prometheus.
///
/// In the OpenMetrics text format; `docs/reference/metrics.md` has every name. For operators. Reads no
/// record, and wakes nobody.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "metrics",
    responses((status = 200, body = String,
        content_type = "application/openmetrics-text",
        description = "Every metric.")),
)]
pub(super) async fn get(State(app): State<App>) -> Response {
    ([(CONTENT_TYPE, MEDIA_TYPE)], text(&app)).into_response()
}

pub(super) fn text(app: &App) -> String {
    let about = &app.about;
    let build = Build {
        engine: about.engine.clone(),
        runtime: (about.runtime.driver.clone(), about.runtime.profile.clone()),
    };
    app.metrics.text(&Seen {
        load: app.control.load(),
        connections: app.edge.connections(),
        started: about.started,
        build,
    })
}
