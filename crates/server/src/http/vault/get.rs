//! `GET /api/v1/vault`: which keys the vault is under.

use axum::Json;
use axum::extract::State;
use smartbox_api::vault::VaultView;
use smartbox_core::secret::VaultKeys;

use super::trouble;
use crate::app::App;
use crate::http::trouble::Trouble;

/// Which keys the vault is under; no key itself.
///
/// For operators.
#[utoipa::path(
    get,
    path = "/api/v1/vault",
    tag = "vault",
    responses((status = 200, body = VaultView, description = "Its keys.")),
)]
pub(super) async fn get(State(app): State<App>) -> Result<Json<VaultView>, Trouble> {
    let keys = app.rotation.keys().await.map_err(|error| trouble(&app, error))?;
    let VaultKeys { master, data_key, left } = keys;
    Ok(Json(VaultView { master, kept_in: app.about.master_key.clone(), data_key, left }))
}
