//! Jobs: listed, looked at, followed, stopped, held, forgotten.

mod ask;
mod events;
mod get;
mod items;
mod list;
mod remove;

pub(super) use get::accepted;
use smartbox_api::problem::Code;
use utoipa_axum::routes;

use super::codes;
use super::route::{Policy, Route, SMALL};

/// Of a job that may be in another state.
const ASKED: &[Code] = &[Code::NotFound, Code::Conflict];

pub(super) fn routes() -> Vec<Route> {
    let api = Policy::Api;
    vec![
        Route::api(routes!(list::list), api, SMALL, codes::OF_ONE),
        Route::api(routes!(get::get), api, SMALL, codes::OF_ONE),
        Route::api(routes!(items::items), api, SMALL, codes::OF_ONE),
        Route::api(routes!(events::events), api, SMALL, codes::OF_ONE),
        Route::api(routes!(ask::cancel), api, SMALL, ASKED),
        Route::api(routes!(ask::pause), api, SMALL, ASKED),
        Route::api(routes!(ask::resume), api, SMALL, ASKED),
        Route::api(routes!(remove::remove), api, SMALL, ASKED),
    ]
}
