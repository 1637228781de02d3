//! Whether the process lives, and whether it can work.

mod live;
mod ready;

use smartbox_api::problem::Code;

pub use ready::LastLook;

use super::route::{Policy, Route, SMALL, routes};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(live::live), Policy::Public, SMALL, &[]),
        Route::api(routes!(ready::ready), Policy::Public, SMALL, &[Code::NotReady]),
    ]
}
