//! `GET /api/v1/whoami`: who asks, as the platform knows it.

use axum::Json;
use axum::extract::State;
use smartbox_api::person::WhoAmI;
use smartbox_core::audit;
use smartbox_core::person::Right;
use smartbox_core::store;

use super::principal::Principal;
use super::route::{Policy, Route, SMALL, routes};
use super::trouble::Trouble;
use crate::app::App;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::api(routes!(get), Policy::Api(Right::Read), SMALL, &[])]
}

/// Who asks, for which account, by which means, and what they may.
#[utoipa::path(
    get,
    path = "/api/v1/whoami",
    tag = "people",
    operation_id = "whoami",
    responses((status = 200, body = WhoAmI, description = "The asker.")),
)]
async fn get(State(app): State<App>, who: Principal) -> Result<Json<WhoAmI>, Trouble> {
    let account = app.control.account(who.home().as_str()).await?;
    let caller = who.caller().clone();
    let (actor, _) = audit::who(&caller.actor);
    let by = match actor.split(':').next().unwrap_or_default() {
        _ if who.browser().is_some() => "session",
        "cli" => "local",
        "token" => "token",
        "dev-mode" => "dev-mode",
        // Without a session: Cloudflare Access vouches for each request.
        "person" => "access",
        _ => "master-token",
    };
    let person = match caller.person {
        Some(id) => {
            store::read(&*app.store, |tx| Box::pin(async move { tx.people().get(id).await }))
                .await?
        }
        None => None,
    };
    Ok(Json(WhoAmI {
        by: by.to_owned(),
        actor: caller.actor,
        account: account.name,
        account_id: account.id,
        right: caller.right,
        most: caller.cap,
        smartbox: caller.only,
        person: person.map(Into::into),
        operator: caller.operator,
    }))
}
