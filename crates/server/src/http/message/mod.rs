//! Messages: in, looked at, followed.

mod events;
mod get;
mod post;

use http::Method;
use smartbox_api::message::MAX_TEXT;

use super::route::{Limit, Policy, Route, SMALL};

/// JSON may escape every byte of a text into six.
const BODY: Limit = Limit::Bytes(6 * MAX_TEXT + 4096);

pub(super) fn routes() -> Vec<Route> {
    let api = Policy::Api;
    vec![
        Route::new((Method::POST, "/api/v1/boxes/{name}/messages"), api, BODY, post::post),
        Route::new((Method::GET, "/api/v1/messages/{id}"), api, SMALL, get::get),
        Route::new((Method::GET, "/api/v1/messages/{id}/events"), api, SMALL, events::events),
    ]
}
