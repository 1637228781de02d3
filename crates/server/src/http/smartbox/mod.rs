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
use utoipa_axum::routes;
pub(super) use view::whole;

use super::codes;
use super::route::{Policy, Route, SMALL};

const MADE: &[Code] = &[Code::BadName, Code::Exists, Code::Refused];

const CHANGED: &[Code] = &[Code::NotFound, Code::Refused];

pub(super) fn routes() -> Vec<Route> {
    let api = Policy::Api;
    vec![
        Route::api(routes!(list::list), api, SMALL, &[Code::NotFound]),
        Route::api(routes!(create::create), api, SMALL, MADE),
        Route::api(routes!(get::get), api, SMALL, codes::OF_ONE),
        Route::api(routes!(change::change), api, SMALL, CHANGED),
        Route::api(routes!(remove::remove), api, SMALL, codes::WAKES),
        Route::api(routes!(act::wake), api, SMALL, codes::WAKES),
        Route::api(routes!(act::sleep), api, SMALL, codes::WAKES),
        Route::api(routes!(act::start), api, SMALL, codes::WAKES),
        Route::api(routes!(act::stop), api, SMALL, codes::WAKES),
        Route::api(routes!(act::restart), api, SMALL, codes::WAKES),
        Route::api(routes!(act::reset), api, SMALL, codes::WAKES),
        Route::api(routes!(link::link), api, SMALL, codes::OF_ONE),
    ]
}
