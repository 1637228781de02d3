//! Conversations as the engine remembers them.

mod get;

use http::Method;

use super::route::{Policy, Route, SMALL};

pub(super) fn routes() -> Vec<Route> {
    let path = (Method::GET, "/api/v1/boxes/{name}/history");
    vec![Route::new(path, Policy::Api, SMALL, get::get)]
}
