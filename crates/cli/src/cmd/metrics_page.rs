//! `smartbox __metrics`: docs/reference/metrics.md, from what is really counted.

use smartbox_server::metrics;

use crate::error::CliError;
use crate::ui::out;

/// The argument that asks for it. No command of its own, as with the page of commands.
pub(crate) const ARG: &str = "__metrics";

pub(crate) fn run() -> Result<(), CliError> {
    out::raw(metrics::page::page().as_bytes())
}
