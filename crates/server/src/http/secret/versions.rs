//! `GET /api/v1/secrets/{name}/versions`: the values that a secret has and had, by when they were set.

use axum::Json;
use axum::extract::{Path, State};
use smartbox_api::page::{BadPage, Page};
use smartbox_api::secret::{SecretVersionView, SecretsQuery};
use smartbox_core::secret::SecretVersion;
use smartbox_core::store;

use super::scope;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "secret-versions";

/// The values that are kept of a secret, the newest first; never a value.
#[utoipa::path(
    get,
    path = "/api/v1/secrets/{name}/versions",
    tag = "secrets",
    params(SecretsQuery),
    responses((status = 200, body = Page<SecretVersionView>, description = "A page of them.")),
)]
pub(super) async fn versions(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Query(of): Query<SecretsQuery>,
) -> Result<Json<Page<SecretVersionView>>, Trouble> {
    let (limit, after) = of.page().read(LIST)?;
    let after = after.map(|key| key.parse::<u64>().map_err(|_| BadPage::Cursor)).transpose()?;
    let (scope, _) = scope(&app, &who, &of.whose()).await?;
    let kept = store::read(&*app.store, |tx| {
        Box::pin(async move { tx.secrets().versions(scope, name).await })
    })
    .await?;
    if kept.is_empty() {
        return Err(Trouble::missing("secret"));
    }
    let rest = kept.into_iter().filter(|one| after.is_none_or(|after| one.revision < after));
    let keyed = rest.map(|one| (one.revision.to_string(), view(&one)));
    let page = Page::of(keyed, LIST, limit, |(key, _)| key);
    Ok(Json(page.map(|(_, view)| view)))
}

fn view(one: &SecretVersion) -> SecretVersionView {
    let SecretVersion { revision, updated, current } = *one;
    SecretVersionView { revision, updated, current }
}
