//! `GET /api/v1/people`: everybody, by name.

use axum::Json;
use axum::extract::State;
use smartbox_api::page::{Page, PageQuery};
use smartbox_api::person::PersonView;
use smartbox_core::person::Person;
use smartbox_core::store;

use crate::app::App;
use crate::http::body::Query;
use crate::http::trouble::Trouble;

const LIST: &str = "people";

/// Everybody, by name.
///
/// For operators.
#[utoipa::path(
    get,
    path = "/api/v1/people",
    tag = "people",
    params(PageQuery),
    responses((status = 200, body = Page<PersonView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    Query(which): Query<PageQuery>,
) -> Result<Json<Page<PersonView>>, Trouble> {
    let all =
        store::read(&*app.store, |tx| Box::pin(async move { tx.people().list().await })).await?;
    page(all, |person| person, LIST, &which).map(|page| Json(page.map(PersonView::from)))
}

/// A page of what belongs to people, by their names.
pub(in crate::http) fn page<T>(
    all: Vec<T>,
    who: impl Fn(&T) -> &Person,
    list: &str,
    which: &PageQuery,
) -> Result<Page<T>, Trouble> {
    let (limit, after) = which.read(list)?;
    let key = |item: &T| format!("{}\n{}", who(item).name, who(item).id);
    let mut keyed: Vec<_> = all.into_iter().map(|item| (key(&item), item)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    keyed.retain(|(key, _)| after.as_ref().is_none_or(|after| key > after));
    Ok(Page::of(keyed, list, limit, |(key, _)| key).map(|(_, item)| item))
}
