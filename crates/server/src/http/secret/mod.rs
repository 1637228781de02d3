//! Secrets: names out, values in only.

mod bind;
mod bound;
mod list;
mod placeholders;
mod put;
mod remove;
mod services;
mod unbind;

use smartbox_api::problem::Code;
use smartbox_api::secret::MAX_VALUE;
use smartbox_core::id::AccountId;
use smartbox_core::person::Right;
use smartbox_core::secret::Scope;
use smartbox_core::store::{StoreError, Tx};
use utoipa_axum::routes;

use super::codes;
use super::principal::{Principal, whose};
use super::route::{Limit, Policy, Route, SMALL};
use super::trouble::Trouble;
use crate::app::App;

const BODY: Limit = Limit::Bytes(6 * MAX_VALUE + 4096);

/// Of a secret that may not be there, and a binding that may not be.
const BOUND: &[Code] = &[Code::NotFound, Code::Refused];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(list::list), Policy::Api(Right::Manage), SMALL, codes::OF_ONE),
        Route::api(routes!(put::put), Policy::Api(Right::Own), BODY, codes::NAMED),
        Route::api(routes!(remove::remove), Policy::Api(Right::Own), SMALL, codes::OF_ONE),
        Route::api(routes!(services::services), Policy::Api(Right::Read), SMALL, &[]),
        Route::api(routes!(bind::bind), Policy::Api(Right::Own), BODY, BOUND),
        Route::api(routes!(unbind::unbind), Policy::Api(Right::Own), SMALL, codes::OF_ONE),
        Route::api(
            routes!(placeholders::placeholders),
            Policy::Api(Right::Manage),
            SMALL,
            codes::OF_ONE,
        ),
    ]
}

/// Whose secrets: one box's, or the account's; and the account in whose audit it stands.
async fn scope(
    app: &App,
    who: &Principal,
    of: Option<&str>,
) -> Result<(Scope, AccountId), Trouble> {
    let (smartbox, account) = whose(app, who, of).await?;
    Ok((smartbox.map_or_else(|| Scope::Account(account.clone()), Scope::Smartbox), account))
}

/// The revision of the secret that is there.
async fn revision(tx: &mut dyn Tx, scope: &Scope, name: &str) -> Result<Option<u64>, StoreError> {
    let infos = tx.secrets().list(scope.clone()).await?;
    Ok(infos.into_iter().find(|info| info.name == name).map(|info| info.revision))
}
