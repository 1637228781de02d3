//! Devices: how one asks to be let in (RFC 8628, bound to its key by RFC 9449), and how somebody of the
//! account decides.

mod approve_all;
mod authorize;
mod decide;
mod find;
mod invite;
mod list;
mod oauth;
mod rename;
mod token;
mod view;

use smartbox_api::problem::Code;
use smartbox_core::device::{Device, DeviceId};
use smartbox_core::person::Right;

use super::codes;
use super::principal::Principal;
use super::route::{Policy, Route, SMALL, routes};
use super::trouble::Trouble;
use crate::app::App;

pub(super) use approve_all::all as approve_all;
pub(super) use authorize::plain;
pub(super) use decide::{decided, undecided};
pub(super) use find::showing;
pub(super) use rename::renamed;

const INVITED: &[Code] = &[Code::NotFound, Code::Refused, Code::BadName];
const DECIDES: &[Code] = &[Code::NotFound, Code::Conflict];

pub(super) fn routes() -> Vec<Route> {
    let manage = Policy::Api(Right::Manage);
    vec![
        Route::api(routes!(authorize::authorize), Policy::Public, SMALL, &[]),
        Route::api(routes!(token::token), Policy::Public, SMALL, &[]),
        Route::api(routes!(list::list), manage, SMALL, &[]),
        Route::api(routes!(list::get), manage, SMALL, codes::OF_ONE),
        Route::api(
            routes!(find::find),
            manage,
            SMALL,
            &[Code::BadName, Code::NotFound, Code::TooMany],
        ),
        Route::api(routes!(decide::approve), manage, SMALL, DECIDES).gives(),
        Route::api(routes!(decide::reject), manage, SMALL, DECIDES),
        // A device takes itself out whatever it may; the handler looks who decides about another one.
        Route::api(routes!(decide::revoke), Policy::Api(Right::Read), SMALL, DECIDES),
        Route::api(routes!(invite::invite), manage, SMALL, INVITED).gives(),
        Route::api(routes!(rename::rename), manage, SMALL, codes::NAMED),
        Route::api(routes!(approve_all::approve_all), manage, SMALL, &[]).gives(),
    ]
}

/// The caller's device with this id.
pub(super) async fn one(app: &App, who: &Principal, id: &str) -> Result<Device, Trouble> {
    let account = who.account()?;
    let Ok(id) = id.parse::<DeviceId>() else { return Err(missing()) };
    app.access.device(account, id).await?.ok_or_else(missing)
}

fn missing() -> Trouble {
    Trouble::missing("device")
}

/// How much the caller may give.
pub(super) fn most(who: &Principal) -> Result<Right, Trouble> {
    who.account()?;
    let caller = who.caller();
    Ok(caller.right.unwrap_or(Right::Read).min(caller.cap))
}
