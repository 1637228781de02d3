//! The files of homes. They wake nobody. What comes out of a box is hostile: it is handed out as bytes
//! to keep, never as a page to show.

mod batch;
mod content;
mod folder;
mod list;
mod make;
pub(super) mod path;
mod remove;
mod view;
mod write;

pub(super) use content::{SANDBOX, attachment};
pub(super) use list::{key, unkey};
use smartbox_api::problem::Code;
use smartbox_core::person::Right;
pub(super) use view::view;
pub(super) use write::body as arriving;

use super::route::{Limit, Policy, Route, SMALL, routes};

/// A batch with its content in base64.
const BATCH: Limit = Limit::Bytes(12 << 20);

const READ: &[Code] = &[Code::NotFound, Code::Forbidden, Code::Refused];
const CONTENT: &[Code] =
    &[Code::NotFound, Code::Forbidden, Code::Refused, Code::PreconditionFailed, Code::BadRange];
const CHANGE: &[Code] = &[Code::NotFound, Code::Exists, Code::Refused, Code::PreconditionFailed];
const WRITE: &[Code] =
    &[Code::NotFound, Code::Exists, Code::Refused, Code::PreconditionFailed, Code::DigestMismatch];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(list::list), Policy::Api(Right::Read), SMALL, READ),
        Route::api(routes!(list::stat), Policy::Api(Right::Read), SMALL, READ),
        Route::api(routes!(remove::remove), Policy::Api(Right::Manage), SMALL, CHANGE),
        Route::api(routes!(content::read), Policy::Api(Right::Read), SMALL, CONTENT),
        Route::api(routes!(write::write), Policy::Api(Right::Manage), Limit::Stream, WRITE),
        Route::api(routes!(folder::pack), Policy::Api(Right::Read), SMALL, READ),
        Route::api(routes!(folder::unpack), Policy::Api(Right::Manage), Limit::Stream, CHANGE),
        Route::api(routes!(make::directory), Policy::Api(Right::Manage), SMALL, CHANGE),
        Route::api(routes!(make::rename), Policy::Api(Right::Manage), SMALL, CHANGE),
        Route::api(routes!(batch::batch), Policy::Api(Right::Manage), BATCH, READ),
    ]
}
