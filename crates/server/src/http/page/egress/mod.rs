//! `/boxes/{name}/egress`: what may leave a box and what was refused, with buttons that allow it. It
//! works without scripts; each button is a form of its own.

mod change;
mod refused;
mod rules;
mod show;
mod words;

use http::Method;
use smartbox_core::person::Right;

use crate::http::route::{Policy, Route, SMALL};

const PATH: &str = "/boxes/{name}/egress";

pub(super) fn routes() -> [Route; 2] {
    let (look, change) = (Policy::Session(Right::Read), Policy::Session(Right::Manage));
    [
        Route::page((Method::GET, PATH), look, SMALL, show::show),
        Route::page((Method::POST, PATH), change, SMALL, change::change),
    ]
}
