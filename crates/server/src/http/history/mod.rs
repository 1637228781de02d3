//! Conversations as the engine remembers them.

mod get;

use smartbox_core::person::Right;

use super::codes;
use super::route::{Policy, Route, SMALL, routes};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::api(routes!(get::get), Policy::Api(Right::Read), SMALL, codes::WAKES)]
}
