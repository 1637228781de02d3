//! All boxes at once.

mod get;

use smartbox_core::person::Right;
use utoipa_axum::routes;

use super::route::{Policy, Route, SMALL};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::api(routes!(get::get), Policy::Api(Right::Read), SMALL, &[])]
}
