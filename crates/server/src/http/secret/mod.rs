//! Secrets: names out, values in only.

mod bind;
mod bound;
mod list;
mod placeholders;
mod put;
mod remove;
mod roll_back;
mod services;
mod unbind;
mod versions;

use smartbox_api::problem::Code;
use smartbox_api::secret::{MAX_VALUE, SecretQuery};
use smartbox_core::audit::Act;
use smartbox_core::id::AccountId;
use smartbox_core::person::Right;
use smartbox_core::secret::Scope;
use smartbox_core::store::{StoreError, Tx};

use super::codes;
use super::principal::{Principal, whose};
use super::route::{Limit, Policy, Route, SMALL, routes};
use super::trouble::Trouble;
use crate::app::App;

const BODY: Limit = Limit::Bytes(6 * MAX_VALUE + 4096);

/// Of a secret that may not be there, and a binding that may not be.
const BOUND: &[Code] = &[Code::NotFound, Code::Refused];

/// Of a secret that may not be there, or may be only an operator's to touch.
const OF_ANY: &[Code] = &[Code::NotFound, Code::Forbidden];
/// The same of one whose name the caller chooses.
const SET: &[Code] = &[Code::BadName, Code::NotFound, Code::Forbidden];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(list::list), Policy::Api(Right::Manage), SMALL, OF_ANY),
        Route::api(routes!(put::put), Policy::Api(Right::Own), BODY, SET),
        Route::api(routes!(remove::remove), Policy::Api(Right::Own), SMALL, OF_ANY),
        Route::api(routes!(versions::versions), Policy::Api(Right::Manage), SMALL, OF_ANY),
        Route::api(routes!(roll_back::roll_back), Policy::Api(Right::Own), SMALL, OF_ANY),
        Route::api(routes!(services::services), Policy::Api(Right::Read), SMALL, &[]),
        Route::api(routes!(bind::bind), Policy::Api(Right::Own), BODY, BOUND),
        Route::api(routes!(unbind::unbind), Policy::Api(Right::Own), SMALL, OF_ANY),
        Route::api(
            routes!(placeholders::placeholders),
            Policy::Api(Right::Manage),
            SMALL,
            codes::OF_ONE,
        ),
    ]
}

/// Whose secrets: one box's, the account's or the platform's; and the account in whose audit it stands.
async fn scope(
    app: &App,
    who: &Principal,
    of: &SecretQuery,
) -> Result<(Scope, AccountId), Trouble> {
    if of.platform {
        return Ok((of_platform(who, of)?, app.account.id.clone()));
    }
    let (smartbox, account) = whose(app, who, of.smartbox.as_deref()).await?;
    Ok((smartbox.map_or_else(|| Scope::Account(account.clone()), Scope::Smartbox), account))
}

/// What the platform keeps counts for every account, so it is nobody's but who runs it.
fn of_platform(who: &Principal, of: &SecretQuery) -> Result<Scope, Trouble> {
    if of.smartbox.is_some() || (who.operates() && !who.everywhere()) {
        let hint = "leave out `platform`, or leave out the smartbox and the account";
        return Err(Trouble::new(Code::BadRequest, "the platform's secrets are of no other", hint));
    }
    if !who.operates() {
        let hint = "leave out `platform`: your account's secrets count for all of your smartboxes";
        let detail = "only an operator sees and changes the platform's secrets";
        return Err(Trouble::new(Code::Forbidden, detail, hint));
    }
    Ok(Scope::Platform)
}

/// For the audit: who did what to a secret, by its name.
fn act(app: &App, who: &Principal, of: (&Scope, AccountId), action: &str, name: &str) -> Act {
    let (scope, account) = of;
    let of_platform = if *scope == Scope::Platform { " of the platform" } else { "" };
    let name: String = name.chars().take(80).collect();
    Act {
        account,
        actor: who.actor.0.clone(),
        action: action.to_owned(),
        smartbox: if let Scope::Smartbox(id) = scope { Some(id.clone()) } else { None },
        detail: format!("{name}{of_platform}"),
        at: app.clock.now(),
    }
}

/// The revision of the secret that is there.
async fn revision(tx: &mut dyn Tx, scope: &Scope, name: &str) -> Result<Option<u64>, StoreError> {
    let infos = tx.secrets().list(scope.clone()).await?;
    Ok(infos.into_iter().find(|info| info.name == name).map(|info| info.revision))
}
