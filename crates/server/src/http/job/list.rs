//! `GET /api/v1/jobs`: the jobs of the account, newest first, a page at a time.

use axum::Json;
use axum::extract::State;
use smartbox_api::job::{JobQuery, JobView};
use smartbox_api::page::{BadPage, Page};
use smartbox_core::id::JobId;
use smartbox_core::job::port::Filter;
use smartbox_core::time::Timestamp;

use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "jobs";

/// The jobs of the account, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/jobs",
    tag = "jobs",
    params(JobQuery),
    responses((status = 200, body = Page<JobView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Query(which): Query<JobQuery>,
) -> Result<Json<Page<JobView>>, Trouble> {
    let (limit, after) = which.page().read(LIST)?;
    let smartbox = match &which.smartbox {
        Some(name) => Some(app.control.find(&who, name).await?),
        None => None,
    };
    let filter = Filter {
        // An operator may mean another account's box.
        account: Some(match &smartbox {
            Some(row) => row.account.clone(),
            None => who.account()?.clone(),
        }),
        smartbox: smartbox.map(|row| row.id),
        states: which.state.into_iter().collect(),
        kind: which.kind,
        before: after.map(|key| place(&key)).transpose()?,
        limit: u32::try_from(limit).unwrap_or(u32::MAX).saturating_add(1),
        ..Filter::default()
    };
    let found = app.control.jobs(filter).await?;
    let keyed = found.into_iter().map(|job| (format!("{} {}", job.created.0, job.id), job));
    let page = Page::of(keyed, LIST, limit, |(key, _)| key.as_str());
    Ok(Json(page.map(|(_, job)| JobView::listed(job))))
}

/// The last job of the page before.
fn place(key: &str) -> Result<(Timestamp, JobId), BadPage> {
    let (created, id) = key.split_once(' ').ok_or(BadPage::Cursor)?;
    let created = created.parse().map_err(|_| BadPage::Cursor)?;
    Ok((Timestamp(created), id.parse().map_err(|_| BadPage::Cursor)?))
}
