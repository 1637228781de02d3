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
use smartbox_core::snapshot::Generation;
use utoipa_axum::routes;

use super::codes::OF_ONE;
use super::route::{Policy, Route, SMALL};
use super::trouble::Trouble;

pub(super) use view::{tombstone, view};

/// What reads the storage.
const READS: &[Code] = &[Code::NotFound, Code::Storage, Code::Refused];
/// What becomes a job.
const BEGINS: &[Code] = &[Code::NotFound, Code::Refused, Code::Conflict];

pub(super) fn routes() -> Vec<Route> {
    let api = Policy::Api;
    vec![
        Route::api(routes!(list::list), api, SMALL, OF_ONE),
        Route::api(routes!(list::get), api, SMALL, OF_ONE),
        Route::api(routes!(status::status), api, SMALL, OF_ONE),
        Route::api(routes!(status::change), api, SMALL, BEGINS),
        Route::api(routes!(files::files), api, SMALL, READS),
        Route::api(routes!(content::content), api, SMALL, READS),
        Route::api(routes!(content::archive), api, SMALL, READS),
        Route::api(routes!(diff::diff), api, SMALL, READS),
        Route::api(routes!(later::take), api, SMALL, BEGINS),
        Route::api(routes!(later::restore), api, SMALL, BEGINS),
        Route::api(
            routes!(later::fork),
            api,
            SMALL,
            &[Code::BadName, Code::NotFound, Code::Exists],
        ),
        Route::api(routes!(later::verify), api, SMALL, BEGINS),
        Route::api(routes!(later::prune), api, SMALL, BEGINS),
        Route::api(routes!(later::drill), api, SMALL, BEGINS),
        Route::api(routes!(password::password), api, SMALL, READS),
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
