//! Commands that are jobs: taken in, looked at, waited for, stopped.

mod get;
mod list;
mod post;
mod remove;

use smartbox_api::execs::{ExecView, MAX_STDIN};
use smartbox_core::job::Job;
use utoipa_axum::routes;

use super::codes;
use super::route::{Limit, Policy, Route, SMALL};
use super::trouble::Trouble;

/// Standard input, the order, and what JSON makes of them in all but odd cases.
const BODY: Limit = Limit::Bytes(2 * MAX_STDIN);

pub(super) fn routes() -> Vec<Route> {
    let api = Policy::Api;
    vec![
        Route::api(routes!(post::post), api, BODY, codes::RUNS),
        Route::api(routes!(list::list), api, SMALL, codes::OF_ONE),
        Route::api(routes!(get::get), api, SMALL, codes::OF_ONE),
        Route::api(routes!(remove::remove), api, SMALL, codes::OF_ONE),
    ]
}

fn view(job: Job) -> Result<ExecView, Trouble> {
    ExecView::of(job).ok_or_else(|| Trouble::missing("command"))
}
