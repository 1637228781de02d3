//! What is counted, for Prometheus: to an operator on the platform's own listener, and without a token
//! on a loopback address of its own, if there is one.

mod alone;
mod get;

use smartbox_core::person::Right;

use super::route::{Policy, Route, SMALL, routes};

pub(crate) use alone::alone;

pub(super) fn routes() -> Vec<Route> {
    vec![Route::api(routes!(get::get), Policy::Operator(Right::Read), SMALL, &[])]
}
