//! The engine's conversations.

mod list;

use smartbox_core::person::Right;
use utoipa_axum::routes;

use super::codes;
use super::route::{Policy, Route, SMALL};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::api(routes!(list::list), Policy::Api(Right::Read), SMALL, codes::WAKES)]
}
