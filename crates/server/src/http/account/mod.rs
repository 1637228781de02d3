//! Accounts: list, make, look, change, remove. For operators, but for an account's look at itself.

mod change;
mod create;
mod get;
mod list;
mod remove;

use smartbox_api::problem::Code;
use smartbox_core::person::Right;

use super::codes;
use super::route::{Policy, Route, SMALL, routes};

const MADE: &[Code] = &[Code::BadName, Code::Exists, Code::Refused];
const CHANGED: &[Code] = &[Code::NotFound, Code::Refused];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(list::list), Policy::Operator(Right::Read), SMALL, &[]),
        Route::api(routes!(create::create), Policy::Operator(Right::Own), SMALL, MADE),
        Route::api(routes!(get::get), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
        Route::api(routes!(change::change), Policy::Operator(Right::Own), SMALL, CHANGED),
        Route::api(routes!(remove::remove), Policy::Operator(Right::Own), SMALL, CHANGED),
    ]
}
