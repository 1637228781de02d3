//! What is written about a box: the engine's log as bytes, and with the platform's words as lines.

mod get;
mod lines;

use smartbox_core::person::Right;

use super::codes;
use super::route::{Policy, Route, SMALL, routes};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(get::get), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
        Route::api(routes!(lines::lines), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
    ]
}
