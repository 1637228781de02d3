//! Issues: what somebody should see to.

mod list;
mod resolve;

use smartbox_core::id::AccountId;
use smartbox_core::person::Right;

use super::codes;
use super::principal::Principal;
use super::route::{Policy, Route, SMALL, routes};
use super::trouble::Trouble;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(list::list), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
        Route::api(routes!(resolve::resolve), Policy::Api(Right::Manage), SMALL, codes::NAMED),
    ]
}

/// Whose issues and boxes the caller sees: none for an operator, who sees everybody's and the
/// machine's.
pub(super) fn seen_by(who: &Principal) -> Result<Option<AccountId>, Trouble> {
    if who.everywhere() { Ok(None) } else { who.account().cloned().map(Some) }
}
