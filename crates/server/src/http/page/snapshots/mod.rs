//! `/boxes/{name}/snapshots`: how fresh they are, what a restore has proven, and buttons to go back. It
//! works without scripts; each button is a form of its own.

mod change;
mod show;

use http::Method;
use smartbox_core::person::Right;

use crate::http::route::{Policy, Route, SMALL};

const PATH: &str = "/boxes/{name}/snapshots";

pub(super) fn routes() -> [Route; 2] {
    let (look, change) = (Policy::Session(Right::Read), Policy::Session(Right::Manage));
    [
        Route::page((Method::GET, PATH), look, SMALL, show::show),
        Route::page((Method::POST, PATH), change, SMALL, change::change),
    ]
}
