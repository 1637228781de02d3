//! One thing done to many boxes, as a job.

mod restart;
mod select;

use smartbox_api::problem::Code;
use utoipa_axum::routes;

use super::route::{Limit, Policy, Route};

/// Names of some thousand boxes.
const MANY: Limit = Limit::Bytes(512 << 10);
const REFUSED: &[Code] = &[Code::NotFound, Code::Refused, Code::Conflict];

pub(super) fn routes() -> Vec<Route> {
    vec![Route::api(routes!(restart::restart), Policy::Api, MANY, REFUSED)]
}
