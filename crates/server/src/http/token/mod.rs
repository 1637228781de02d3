//! Tokens for the API over TCP.

mod create;
mod revoke;

use http::Method;
use smartbox_api::paths;

use super::route::{Policy, Route, SMALL};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::new((Method::POST, paths::TOKENS), Policy::Api, SMALL, create::create),
        Route::new((Method::DELETE, paths::TOKENS), Policy::Api, SMALL, revoke::revoke),
    ]
}
