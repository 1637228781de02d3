//! One thing done to many boxes, as a job.

mod config;
mod restart;
mod select;

use smartbox_api::config::MAX_DOCUMENT;
use smartbox_api::problem::Code;
use smartbox_core::person::Right;

use super::route::{Limit, Policy, Route, routes};

/// Names of some thousand boxes.
const MANY: Limit = Limit::Bytes(512 << 10);
/// The same, and a patch that may be written with more spaces than we need.
const PATCH: Limit = Limit::Bytes((512 << 10) + 2 * MAX_DOCUMENT);
const REFUSED: &[Code] = &[Code::NotFound, Code::Refused, Code::Conflict];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(config::config), Policy::Api(Right::Manage), PATCH, REFUSED),
        Route::api(routes!(restart::restart), Policy::Api(Right::Manage), MANY, REFUSED),
    ]
}
