//! Snapshots of a box: look, take, compare, restore, fork, prove. Asking wakes nothing.

mod content;
mod diff;
mod files;
mod later;
mod list;
mod password;
mod status;
mod view;

use smartbox_api::problem::Code;
use smartbox_api::snapshot::NEWEST;
use smartbox_core::person::Right;
use smartbox_core::snapshot::Generation;

use super::codes::OF_ONE;
use super::route::{Policy, Route, SMALL, routes};
use super::trouble::Trouble;

pub(super) use view::{tombstone, view};

/// What reads the storage.
const READS: &[Code] = &[Code::NotFound, Code::Storage, Code::Refused];
/// What becomes a job.
const BEGINS: &[Code] = &[Code::NotFound, Code::Refused, Code::Conflict];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(list::list), Policy::Api(Right::Read), SMALL, OF_ONE),
        Route::api(routes!(list::get), Policy::Api(Right::Read), SMALL, OF_ONE),
        Route::api(routes!(status::status), Policy::Api(Right::Read), SMALL, OF_ONE),
        Route::api(routes!(status::change), Policy::Api(Right::Manage), SMALL, BEGINS),
        Route::api(routes!(files::files), Policy::Api(Right::Read), SMALL, READS),
        Route::api(routes!(content::content), Policy::Api(Right::Read), SMALL, READS),
        Route::api(routes!(content::archive), Policy::Api(Right::Read), SMALL, READS),
        Route::api(routes!(diff::diff), Policy::Api(Right::Read), SMALL, READS),
        Route::api(routes!(later::take), Policy::Api(Right::Manage), SMALL, BEGINS),
        Route::api(routes!(later::restore), Policy::Api(Right::Manage), SMALL, BEGINS),
        Route::api(
            routes!(later::fork),
            Policy::Api(Right::Manage),
            SMALL,
            &[Code::BadName, Code::NotFound, Code::Exists],
        ),
        Route::api(routes!(later::verify), Policy::Api(Right::Manage), SMALL, BEGINS),
        Route::api(routes!(later::prune), Policy::Api(Right::Manage), SMALL, BEGINS),
        Route::api(routes!(later::drill), Policy::Api(Right::Manage), SMALL, BEGINS),
        Route::api(routes!(password::password), Policy::Api(Right::Own), SMALL, READS),
    ]
}

/// A generation in a path: its number; none for the newest.
fn generation(text: &str) -> Result<Option<Generation>, Trouble> {
    if text == NEWEST {
        return Ok(None);
    }
    // What is no number names none that there is.
    let number = text.parse().map_err(|_| Trouble::missing("snapshot"))?;
    Ok(Some(Generation(number)))
}
