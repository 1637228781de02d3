//! Smartboxes: list, make, look, remove, and the verbs.

mod act;
mod change;
mod create;
mod get;
mod link;
mod list;
mod remove;
mod view;

pub(super) use list::wanted;
use smartbox_api::problem::Code;
use smartbox_core::person::Right;
pub(super) use view::whole;

use super::codes;
use super::route::{Policy, Route, SMALL, routes};

const MADE: &[Code] = &[Code::BadName, Code::Exists, Code::Refused];

const CHANGED: &[Code] = &[Code::NotFound, Code::Refused];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(list::list), Policy::Api(Right::Read), SMALL, &[Code::NotFound]),
        Route::api(routes!(create::create), Policy::Api(Right::Manage), SMALL, MADE),
        Route::api(routes!(get::get), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
        Route::api(routes!(change::change), Policy::Api(Right::Manage), SMALL, CHANGED),
        Route::api(routes!(remove::remove), Policy::Api(Right::Own), SMALL, codes::WAKES),
        Route::api(routes!(act::wake), Policy::Api(Right::Chat), SMALL, codes::WAKES),
        Route::api(routes!(act::sleep), Policy::Api(Right::Manage), SMALL, codes::WAKES),
        Route::api(routes!(act::start), Policy::Api(Right::Manage), SMALL, codes::WAKES),
        Route::api(routes!(act::stop), Policy::Api(Right::Manage), SMALL, codes::WAKES),
        Route::api(routes!(act::restart), Policy::Api(Right::Manage), SMALL, codes::WAKES),
        Route::api(routes!(act::reset), Policy::Api(Right::Manage), SMALL, codes::WAKES),
        Route::api(routes!(link::link), Policy::Api(Right::Read), SMALL, codes::OF_ONE).gives(),
    ]
}
