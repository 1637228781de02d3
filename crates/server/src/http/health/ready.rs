//! `GET /ready`: records and runtime answer, and the platform is not going down. The AI gateway is in
//! this process and works if it does. Everybody may ask, so it is looked at once a second at the most.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use smartbox_api::platform::Health;
use smartbox_api::problem::Code;
use tokio::sync::Mutex;

use crate::app::App;
use crate::http::trouble::Trouble;

/// How long an answer holds.
const FRESH: Duration = Duration::from_secs(1);

/// The last look.
#[derive(Default)]
pub struct LastLook(Mutex<Option<(Instant, Vec<&'static str>)>>);

impl LastLook {
    /// What does not work. Those who ask at once share one look.
    async fn broken(&self, app: &App) -> Vec<&'static str> {
        let mut last = self.0.lock().await;
        if let Some((_, broken)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return broken.clone();
        }
        let broken = app.control.broken().await;
        *last = Some((Instant::now(), broken.clone()));
        broken
    }
}

/// Whether the platform can work: its records and its runtime.
#[utoipa::path(
    get,
    path = "/ready",
    tag = "health",
    responses((status = 200, body = Health, description = "It can work.")),
)]
pub(super) async fn ready(State(app): State<App>) -> Result<Json<Health>, Trouble> {
    if app.draining.is_cancelled() {
        return Err(Trouble::new(Code::Draining, "the platform is shutting down", ""));
    }
    match app.ready.broken(&app).await.as_slice() {
        [] => Ok(Json(Health { status: "ok".into() })),
        broken => Err(Trouble::new(Code::NotReady, broken.join("; "), "see `smartbox doctor`")),
    }
}
