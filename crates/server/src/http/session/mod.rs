//! The engine's conversations.

mod list;

use smartbox_core::person::Right;

use super::codes;
use super::route::{Policy, Route, SMALL, routes};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::api(routes!(list::list), Policy::Api(Right::Read), SMALL, codes::WAKES)]
}
