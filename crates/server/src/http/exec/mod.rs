//! Commands in a box.

mod live;
mod post;

use smartbox_core::person::Right;

use super::codes;
use super::route::{Limit, Policy, Route, SMALL, routes};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(post::post), Policy::Api(Right::Manage), Limit::Stream, codes::WAKES),
        Route::api(routes!(live::live), Policy::Api(Right::Manage), SMALL, codes::SOCKET).socket(),
    ]
}
