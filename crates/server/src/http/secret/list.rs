//! `GET /api/v1/secrets`: the names of the secrets of the account, or of one box.

use axum::Json;
use axum::extract::State;
use smartbox_api::secret::{SecretQuery, SecretView};
use smartbox_core::store;

use super::scope;
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// The names of the secrets of the account, or of one box.
#[utoipa::path(
    get,
    path = "/api/v1/secrets",
    tag = "secrets",
    params(SecretQuery),
    responses((status = 200, body = Vec<SecretView>, description = "The names.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Query(of): Query<SecretQuery>,
) -> Result<Json<Vec<SecretView>>, Trouble> {
    let (wanted, _) = scope(&app, &who, of.smartbox.as_deref()).await?;
    let kept =
        store::read(&*app.store, |tx| Box::pin(async move { tx.secrets().list(wanted).await }))
            .await?;
    let word = if of.smartbox.is_some() { "box" } else { "account" };
    let mut views: Vec<SecretView> = kept
        .into_iter()
        .map(|info| SecretView {
            name: info.name,
            scope: word.into(),
            updated: Some(info.updated),
            revision: Some(info.revision),
        })
        .collect();
    if of.smartbox.is_none() {
        let given = |name: &String| SecretView {
            name: name.clone(),
            scope: "environment".into(),
            updated: None,
            revision: None,
        };
        views.extend(app.about.given.iter().map(given));
    }
    Ok(Json(views))
}
