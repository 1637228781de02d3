//! `GET /api/v1/boxes`: boxes, a page at a time. Wakes nothing.

use axum::Json;
use axum::extract::State;
use smartbox_api::page::{Page, PageQuery};
use smartbox_api::problem::Code;
use smartbox_api::smartbox::{BoxesQuery, SmartboxView};
use smartbox_core::labels::{Labels, parse_pair};
use smartbox_core::route::port::Resolve;
use smartbox_core::smartbox::{Smartbox, State as BoxState};

use super::view;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// The list of one account, by name.
const LIST: &str = "boxes";
/// The list of every account, by host label: names are unique in an account only.
const EVERYWHERE: &str = "boxes everywhere";
/// The account that means every account.
const EVERY: &str = "*";

/// The boxes of the account, by name; an operator may ask for another account's, or for all.
///
/// Wakes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/boxes",
    tag = "boxes",
    params(BoxesQuery),
    responses((status = 200, body = Page<SmartboxView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Query(which): Query<BoxesQuery>,
) -> Result<Json<Page<SmartboxView>>, Trouble> {
    let everywhere = which.account.as_deref() == Some(EVERY);
    let (name, key): (_, fn(&Smartbox) -> &str) =
        if everywhere { (EVERYWHERE, |row| &row.label) } else { (LIST, |row| &row.name) };
    let page = PageQuery { limit: which.limit, cursor: which.cursor.clone() };
    let (limit, after) = page.read(name)?;
    let labels = wanted(which.label.as_deref())?;
    let mut rows = rows(&app, &who, which.account.as_deref()).await?;
    rows.retain(|row| {
        after.as_deref().is_none_or(|after| key(row) > after)
            && which.kind.as_deref().is_none_or(|kind| row.kind.as_str() == kind)
            && which.state.is_none_or(|state| row.state == state)
            && row.labels.match_all(&labels)
    });
    rows.sort_by(|a, b| key(a).cmp(key(b)));
    let page = Page::of(rows, name, limit, |row| key(row));
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        let phase = match row.state {
            BoxState::Starting => {
                app.control.route(&row.label).await?.map(|route| route.phase).unwrap_or_default()
            }
            _ => String::new(),
        };
        items.push(view::row(&app, row, phase));
    }
    Ok(Json(Page { items, next: page.next }))
}

async fn rows(app: &App, who: &Principal, account: Option<&str>) -> Result<Vec<Smartbox>, Trouble> {
    let Some(account) = account else { return Ok(app.control.within(&who.into()).await?) };
    if !who.everywhere() {
        // As if there were no other account, whichever is named.
        let own = app.control.account(who.home().as_str()).await?;
        if account != own.name && account != own.id.as_str() {
            return Err(Trouble::missing("account"));
        }
    }
    Ok(match account {
        EVERY => app.control.list_all().await?,
        account => {
            let account = app.control.account(account).await?.id;
            match &account == who.home() {
                true => app.control.within(&who.into()).await?,
                false => app.control.list(&account).await?,
            }
        }
    })
}

/// Labels as they are asked for: pairs with commas between.
pub(in crate::http) fn wanted(text: Option<&str>) -> Result<Labels, Trouble> {
    let bad = |error: smartbox_core::labels::BadLabel| {
        Trouble::new(Code::BadRequest, error.to_string(), "write it like `label=team%3Dsupport`")
    };
    let mut change = Vec::new();
    for pair in text.into_iter().flat_map(|text| text.split(',')) {
        let (key, value) = parse_pair(pair).map_err(bad)?;
        change.push((key, Some(value)));
    }
    Labels::default().changed(change).map_err(bad)
}
