//! `/device`: where a device sends its person (RFC 8628, 3.3): they type the code that it shows, see which
//! device that is, compare, and decide. Nothing is looked up by a `GET`, so that no other site's link guesses
//! codes in their name; and nothing is decided but by a button of this page, after the comparison (5.4).

mod change;
mod done;
mod line;
mod show;

use http::Method;
use smartbox_core::person::Right;

use crate::http::route::{Policy, Route, SMALL};

pub(super) use change::{decide, shown};
pub(super) use done::Done;
pub(super) use line::{Line, Names};

const PATH: &str = "/device";

pub(super) fn routes() -> [Route; 2] {
    let manage = Policy::Session(Right::Manage);
    [
        Route::page((Method::GET, PATH), manage, SMALL, show::show),
        Route::page((Method::POST, PATH), manage, SMALL, change::change),
    ]
}
