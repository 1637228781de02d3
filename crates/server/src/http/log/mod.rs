//! The engine's log.

mod get;

use http::Method;

use super::route::{Policy, Route, SMALL};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::new((Method::GET, "/api/v1/boxes/{name}/log"), Policy::Api, SMALL, get::get)]
}
