//! Accounts: list, make, look, change, remove. For operators, but for an account's look at itself.

mod change;
mod create;
mod get;
mod list;
mod remove;

use smartbox_api::problem::Code;
use utoipa_axum::routes;

use super::codes;
use super::route::{Policy, Route, SMALL};

const MADE: &[Code] = &[Code::BadName, Code::Exists, Code::Refused];
const CHANGED: &[Code] = &[Code::NotFound, Code::Refused];

pub(super) fn routes() -> Vec<Route> {
    let operator = Policy::Operator;
    vec![
        Route::api(routes!(list::list), operator, SMALL, &[]),
        Route::api(routes!(create::create), operator, SMALL, MADE),
        Route::api(routes!(get::get), Policy::Api, SMALL, codes::OF_ONE),
        Route::api(routes!(change::change), operator, SMALL, CHANGED),
        Route::api(routes!(remove::remove), operator, SMALL, CHANGED),
    ]
}
