//! `GET /api/v1/issues`: a page of issues. Wakes nothing.

use axum::Json;
use axum::extract::State;
use smartbox_api::issue::{Issue, IssueQuery, Which};
use smartbox_api::page::{BadPage, Page, PageQuery};
use smartbox_core::issue::Filter;

use super::seen_by;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "issues";

/// What somebody should see to: the open issues, those that were opened last first.
///
/// An account sees its own; an operator sees those of every account and of the machine.
#[utoipa::path(
    get,
    path = "/api/v1/issues",
    tag = "issues",
    params(IssueQuery),
    responses((status = 200, body = Page<Issue>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Query(which): Query<IssueQuery>,
) -> Result<Json<Page<Issue>>, Trouble> {
    let page = PageQuery { limit: which.limit, cursor: which.cursor };
    let (limit, after) = page.read(LIST)?;
    let after = after.map(|id| id.parse().map_err(|_| BadPage::Cursor)).transpose()?;
    let smartbox = match which.smartbox {
        Some(name) => Some(app.control.find(&who, &name).await?.id),
        None => None,
    };
    let open = match which.state.unwrap_or(Which::Open) {
        Which::Open => Some(true),
        Which::Resolved => Some(false),
        Which::All => None,
    };
    // Whoever found the box may see what is the matter with it.
    let account = if smartbox.is_some() { None } else { seen_by(&who)? };
    let filter = Filter { account, smartbox, open, severity: which.severity };
    let more = u32::try_from(limit).unwrap_or(u32::MAX).saturating_add(1);
    let found = app.control.list_issues(filter, after, more).await?;
    Ok(Json(Page::of(found, LIST, limit, |issue| issue.id.as_str())))
}
