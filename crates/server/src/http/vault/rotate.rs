//! `POST /api/v1/vault/rotate`: another key in the place of one, while everything goes on.

use axum::extract::State;
use smartbox_api::vault::{RotateVault, VaultKey, VaultRotated};
use smartbox_core::audit::Act;
use smartbox_core::secret::port::Rotation;
use smartbox_core::secret::{Rotated, RotationError, VaultKeys};
use smartbox_core::store;

use super::trouble;
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Changes a key of the vault; secrets are released meanwhile as ever.
///
/// For operators. A change of the data key that was cut off is finished by the next one.
#[utoipa::path(
    post,
    path = "/api/v1/vault/rotate",
    tag = "vault",
    request_body = RotateVault,
    responses((status = 200, body = VaultRotated, description = "It is changed.")),
)]
pub(super) async fn rotate(
    State(app): State<App>,
    who: Principal,
    Json(RotateVault { what }): Json<RotateVault>,
) -> Result<axum::Json<VaultRotated>, Trouble> {
    let act = Act {
        account: app.account.id.clone(),
        actor: who.actor.0,
        action: "vault.rotate".into(),
        smartbox: None,
        detail: match what {
            VaultKey::Master => "master key".into(),
            VaultKey::Data => "data key".into(),
        },
        at: app.clock.now(),
    };
    // Before it is done: a key that was changed without a record is worse than a record of a try.
    store::write(&*app.store, |tx| Box::pin(async move { tx.audit().append(act).await })).await?;
    let rotation = app.rotation.clone();
    // Who asked may go away: it is done to its end all the same.
    let done = tokio::spawn(async move { perform(&*rotation, what).await }).await;
    let done = done.map_err(|_| Trouble::broken())?;
    Ok(axum::Json(done.map_err(|error| trouble(&app, error))?))
}

async fn perform(rotation: &dyn Rotation, what: VaultKey) -> Result<VaultRotated, RotationError> {
    let (resealed, resumed) = match what {
        VaultKey::Master => {
            rotation.rotate_master().await?;
            (0, false)
        }
        VaultKey::Data => {
            let Rotated { resealed, resumed, .. } = rotation.rotate_data().await?;
            (resealed, resumed)
        }
    };
    let VaultKeys { master, data_key, .. } = rotation.keys().await?;
    Ok(VaultRotated { master, data_key, resealed, resumed })
}
