//! `smartbox __openapi`: the OpenAPI document, from the routes themselves.

use crate::error::CliError;
use crate::ui::out;

/// The argument that asks for it. No command of its own, as with the page of commands.
pub(crate) const ARG: &str = "__openapi";

pub(crate) fn run() -> Result<(), CliError> {
    let document = smartbox_server::http::doc::document(&smartbox_server::http::routes());
    out::json(&document)
}
