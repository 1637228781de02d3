//! Jobs: listed, looked at, followed, stopped, held, forgotten.

mod ask;
mod events;
mod get;
mod items;
mod list;
mod remove;

pub(super) use get::accepted;
use smartbox_api::problem::Code;
use smartbox_core::person::Right;

use super::codes;
use super::route::{Policy, Route, SMALL, routes};

/// Of a job that may be in another state.
const ASKED: &[Code] = &[Code::NotFound, Code::Conflict];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(list::list), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
        Route::api(routes!(get::get), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
        Route::api(routes!(items::items), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
        Route::api(routes!(events::events), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
        Route::api(routes!(ask::cancel), Policy::Api(Right::Manage), SMALL, ASKED),
        Route::api(routes!(ask::pause), Policy::Api(Right::Manage), SMALL, ASKED),
        Route::api(routes!(ask::resume), Policy::Api(Right::Manage), SMALL, ASKED),
        Route::api(routes!(remove::remove), Policy::Api(Right::Manage), SMALL, ASKED),
    ]
}
