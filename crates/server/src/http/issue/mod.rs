//! Issues: what somebody should see to.

mod list;
mod resolve;

use utoipa_axum::routes;

use super::codes;
use super::principal::Principal;
use super::route::{Policy, Route, SMALL};
use smartbox_core::id::AccountId;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(list::list), Policy::Api, SMALL, codes::OF_ONE),
        Route::api(routes!(resolve::resolve), Policy::Api, SMALL, codes::NAMED),
    ]
}

/// Whose issues and boxes the caller sees: none for an operator, who sees everybody's and the
/// machine's.
pub(super) fn seen_by(who: &Principal) -> Option<AccountId> {
    (!who.operator || who.acting).then(|| who.account.clone())
}
