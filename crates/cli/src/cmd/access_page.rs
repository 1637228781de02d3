//! `smartbox __access`: docs/reference/access.md, from the routes that there are.

use smartbox_server::http::table;

use crate::error::CliError;
use crate::ui::out;

/// The argument that asks for it. No command of its own, as with the page of commands.
pub(crate) const ARG: &str = "__access";

pub(crate) fn run() -> Result<(), CliError> {
    out::raw(table::page().as_bytes())
}
