//! Tokens for the API over TCP.

mod create;
mod revoke;

use smartbox_core::person::Right;
use utoipa_axum::routes;

use super::route::{Policy, Route, SMALL};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(create::create), Policy::Api(Right::Read), SMALL, &[]),
        Route::api(routes!(revoke::revoke), Policy::Api(Right::Own), SMALL, &[]),
    ]
}
