//! Messages: in, looked at, followed.

mod events;
mod get;
mod list;
mod post;

use smartbox_api::message::MAX_TEXT;
use utoipa_axum::routes;

use super::codes;
use super::route::{Limit, Policy, Route, SMALL};

/// JSON may escape every byte of a text into six.
const BODY: Limit = Limit::Bytes(6 * MAX_TEXT + 4096);

pub(super) fn routes() -> Vec<Route> {
    let api = Policy::Api;
    vec![
        Route::api(routes!(post::post), api, BODY, codes::SPOKEN_TO),
        Route::api(routes!(list::list), api, SMALL, codes::OF_ONE),
        Route::api(routes!(get::get), api, SMALL, codes::OF_ONE),
        Route::api(routes!(events::events), api, SMALL, codes::OF_ONE),
    ]
}
