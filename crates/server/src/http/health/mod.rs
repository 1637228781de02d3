//! Whether the process lives, and whether it can work.

mod live;
mod ready;

use http::Method;
use smartbox_api::paths;

use super::route::{Policy, Route, SMALL};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new((Method::GET, paths::HEALTH), Policy::Public, SMALL, live::live),
        Route::new((Method::GET, paths::READY), Policy::Public, SMALL, ready::ready),
    ]
}
