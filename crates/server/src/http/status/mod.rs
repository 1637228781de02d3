//! The platform's own state.

mod get;

use http::Method;
use smartbox_api::paths;

use super::route::{Policy, Route, SMALL};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::new((Method::GET, paths::STATUS), Policy::Api, SMALL, get::get)]
}
