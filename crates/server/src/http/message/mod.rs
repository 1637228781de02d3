//! Messages: in, looked at, followed.

mod events;
mod get;
mod list;
mod post;

use smartbox_api::message::MAX_TEXT;
use smartbox_core::person::Right;

use super::codes;
use super::route::{Limit, Policy, Route, SMALL, routes};

/// JSON may escape every byte of a text into six.
const BODY: Limit = Limit::Bytes(6 * MAX_TEXT + 4096);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(post::post), Policy::Api(Right::Chat), BODY, codes::SPOKEN_TO),
        Route::api(routes!(list::list), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
        Route::api(routes!(get::get), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
        Route::api(routes!(events::events), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
    ]
}
