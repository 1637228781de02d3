//! Commands in a box.

mod post;

use http::Method;

use super::route::{Limit, Policy, Route};

pub(super) fn routes() -> Vec<Route> {
    let path = (Method::POST, "/api/v1/boxes/{name}/exec");
    vec![Route::new(path, Policy::Api, Limit::Stream, post::post)]
}
