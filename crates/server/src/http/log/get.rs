//! `GET /api/v1/boxes/{name}/log`: a part of the engine's log, or that and what follows. Wakes nothing.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::HeaderName;
use http::header::CONTENT_TYPE;
use smartbox_api::log::{LogQuery, MAX_TAIL, NEXT_HEADER};
use smartbox_api::problem::Code;
use smartbox_control::ControlError;
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::LogPage;

use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const TAIL: u64 = 64 << 10;
/// How often a followed log is looked at: it is a file that others write.
const LOOK: Duration = Duration::from_millis(250);

/// A part of the engine's log, or that and what follows.
///
/// Wakes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/log",
    tag = "log",
    params(LogQuery),
    responses((status = 200, body = String, content_type = "text/plain",
        description = "The bytes as they were written.",
        headers(("smartbox-log-next" = u64, description = "The offset after the last byte; absent \
            when following.")))),
)]
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(which): Query<LogQuery>,
) -> Result<Response, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let page = match (which.from, which.tail) {
        (Some(_), Some(_)) => {
            return Err(Trouble::new(Code::BadRequest, "both `from` and `tail` are given", ""));
        }
        (Some(from), None) => app.control.log(&row.id, from).await?,
        (None, tail) => app.control.log_tail(&row.id, tail.unwrap_or(TAIL).min(MAX_TAIL)).await?,
    };
    let kind = (CONTENT_TYPE, "text/plain; charset=utf-8");
    if which.follow {
        return Ok(([kind], follow(app, row.id, page)).into_response());
    }
    let next = (HeaderName::from_static(NEXT_HEADER), page.next.to_string());
    Ok(([kind], [next], page.bytes).into_response())
}

struct Follower {
    app: App,
    id: SmartboxId,
    page: Option<LogPage>,
    next: u64,
}

fn follow(app: App, id: SmartboxId, first: LogPage) -> Body {
    let follower = Follower { app, id, next: first.next, page: Some(first) };
    Body::from_stream(stream::unfold(follower, |mut follower| async move {
        let page = follower.page().await?;
        match page {
            Ok(page) => Some((Ok(Bytes::from(page.bytes)), follower)),
            Err(error) => Some((Err(error), follower)),
        }
    }))
}

impl Follower {
    /// The next page with something in it; `None` when the box is gone or the platform goes down.
    async fn page(&mut self) -> Option<Result<LogPage, ControlError>> {
        let mut tick = tokio::time::interval(LOOK);
        loop {
            if let Some(page) = self.page.take().filter(|page| !page.bytes.is_empty()) {
                return Some(Ok(page));
            }
            self.app.draining.clone().run_until_cancelled(tick.tick()).await?;
            match self.app.control.log(&self.id, self.next).await {
                Ok(page) => {
                    self.next = page.next;
                    self.page = Some(page);
                }
                Err(ControlError::Missing { .. }) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
