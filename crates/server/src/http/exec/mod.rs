//! Commands in a box.

mod post;

use utoipa_axum::routes;

use super::codes;
use super::route::{Limit, Policy, Route};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::api(routes!(post::post), Policy::Api, Limit::Stream, codes::WAKES)]
}
