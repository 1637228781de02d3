//! `/boxes/{name}/snapshots`: how fresh they are, what a restore has proven, and buttons to go back. It
//! works without scripts; each button is a form of its own.

mod change;
mod show;

use http::Method;

use crate::http::route::{Policy, Route, SMALL};

const PATH: &str = "/boxes/{name}/snapshots";

pub(super) fn routes() -> [Route; 2] {
    let session = Policy::Session;
    [
        Route::page((Method::GET, PATH), session, SMALL, show::show),
        Route::page((Method::POST, PATH), session, SMALL, change::change),
    ]
}
