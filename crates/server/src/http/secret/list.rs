//! `GET /api/v1/secrets`: the names of the secrets of the account, of one box or of the platform.

use axum::Json;
use axum::extract::State;
use smartbox_api::page::Page;
use smartbox_api::secret::{SecretView, SecretsQuery};
use smartbox_core::secret::Scope;
use smartbox_core::store;

use super::bound::shown;
use super::scope;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "secrets";

/// The names of the secrets of the account, of one box or of the platform.
#[utoipa::path(
    get,
    path = "/api/v1/secrets",
    tag = "secrets",
    params(SecretsQuery),
    responses((status = 200, body = Page<SecretView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Query(of): Query<SecretsQuery>,
) -> Result<Json<Page<SecretView>>, Trouble> {
    let (limit, after) = of.page().read(LIST)?;
    let (wanted, _) = scope(&app, &who, &of.whose()).await?;
    let kept_of = wanted.clone();
    let kept =
        store::read(&*app.store, |tx| Box::pin(async move { tx.secrets().list(wanted).await }))
            .await?;
    let bound = app.control.bindings(kept_of.clone()).await?;
    let bound_to = |name: &str| {
        let found = bound.iter().find(|(known, _)| known == name);
        let bindings = found.map(|(_, bound)| bound.bindings.clone()).unwrap_or_default();
        bindings.into_iter().map(shown).collect()
    };
    let word = word(&kept_of);
    let mut views: Vec<SecretView> = kept
        .into_iter()
        .map(|info| SecretView {
            bound: bound_to(&info.name),
            name: info.name,
            scope: word.into(),
            updated: Some(info.updated),
            revision: Some(info.revision),
        })
        .collect();
    if matches!(kept_of, Scope::Account(_)) {
        let given = |name: &String| SecretView {
            name: name.clone(),
            scope: "environment".into(),
            updated: None,
            revision: None,
            bound: Vec::new(),
        };
        views.extend(app.about.given.iter().map(given));
    }
    // A name may be in both: in the account, and in the environment.
    let keyed = views.into_iter().map(|view| (format!("{} {}", view.scope, view.name), view));
    let mut rest: Vec<(String, SecretView)> =
        keyed.filter(|(key, _)| after.as_ref().is_none_or(|after| key > after)).collect();
    rest.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(Json(Page::of(rest, LIST, limit, |(key, _)| key).map(|(_, view)| view)))
}

fn word(scope: &Scope) -> &'static str {
    match scope {
        Scope::Platform => "platform",
        Scope::Account(_) => "account",
        Scope::Smartbox(_) => "box",
    }
}
