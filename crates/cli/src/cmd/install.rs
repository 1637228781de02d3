//! `smartbox __install-engine DIR`: installs the engine beneath a directory and prints where it is.
//!
//! For tests and images, which want the engine once and platforms many times: `[engine] path` takes
//! the directory that is printed.

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tokio::runtime;

use super::up::{explain, tell::Teller};
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// The argument that asks for it. No command of its own, so that completions do not offer it.
pub(crate) const ARG: &str = "__install-engine";

pub(crate) fn run(dir: Option<OsString>) -> Result<(), CliError> {
    let dir = dir.ok_or_else(|| CliError::usage("where to?", "name a directory"))?;
    let dir = std::path::absolute(Path::new(&dir))
        .map_err(|e| CliError::usage(format!("that is no directory: {e}"), "name another"))?;
    let teller = Mutex::new(Teller::default());
    let ui = |event| teller.lock().unwrap_or_else(PoisonError::into_inner).tell(event);
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::here(format!("this command cannot run: {e}"), String::new()))?;
    let work = async { smartbox_server::install_engine(&dir, ui).await.map_err(explain) };
    let installed = runtime.block_on(or_interrupt(work))?;
    out::say(installed.display())
}
