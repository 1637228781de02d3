//! `smartbox __admin-api` and `__compatibility`: ADMIN_API.md and docs/reference/compatibility.md, from
//! the routes themselves.

use smartbox_server::http;

use crate::error::CliError;
use crate::ui::out;

/// The argument that asks for it. No command of its own, as with the page of commands.
pub(crate) const ARG: &str = "__admin-api";
/// The same for the page about the original's calls.
pub(crate) const COMPATIBILITY: &str = "__compatibility";

pub(crate) fn run() -> Result<(), CliError> {
    let document = http::doc::document(&http::routes());
    // Our own document: maps with keys of text, which always serialise.
    let document = serde_json::to_value(document).unwrap_or_default();
    out::raw(http::compat::page::page(&document).as_bytes())
}

pub(crate) fn compatibility() -> Result<(), CliError> {
    out::raw(http::compat::page::compatibility().as_bytes())
}
