//! Commands that are jobs: taken in, looked at, waited for, stopped.

mod get;
mod list;
mod post;
mod remove;

use smartbox_api::execs::{ExecView, MAX_STDIN};
use smartbox_core::job::Job;
use smartbox_core::person::Right;

use super::codes;
use super::route::{Limit, Policy, Route, SMALL, routes};
use super::trouble::Trouble;

/// Standard input, the order, and what JSON makes of them in all but odd cases.
const BODY: Limit = Limit::Bytes(2 * MAX_STDIN);

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(post::post), Policy::Api(Right::Manage), BODY, codes::RUNS),
        Route::api(routes!(list::list), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
        Route::api(routes!(get::get), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
        Route::api(routes!(remove::remove), Policy::Api(Right::Manage), SMALL, codes::OF_ONE),
    ]
}

fn view(job: Job) -> Result<ExecView, Trouble> {
    ExecView::of(job).ok_or_else(|| Trouble::missing("command"))
}
