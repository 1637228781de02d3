//! `smartbox up`: runs the platform and tells a person about it.

mod journal;
mod memory;
pub(super) mod tell;

use std::path::Path;
use std::sync::Mutex;

use smartbox_server::config::{Config, Env, Overrides};
use smartbox_server::traces::Traces;
use smartbox_server::{BootError, Event, UpOptions};
use tokio::runtime;

use crate::client::Place;
use crate::client::contexts::LOCAL;
use crate::error::CliError;
use crate::ui::out;

/// Starts the platform and prints one link; Ctrl-C ends it, and smartboxes go on.
///
/// The first time it installs the engine (about 650 MB, by npm). The data directory is --data-dir,
/// else SMARTBOX_DATA_DIR, else /var/lib/smartbox for root and ~/.local/share/smartbox for others.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Stop the smartboxes too when the platform ends; without it the next `up` takes them over
    #[arg(long)]
    stop_boxes: bool,
    /// Run even where smartboxes cannot be isolated: whatever an assistant runs can read and
    /// change all that you can
    #[arg(long)]
    insecure_no_sandbox: bool,
    /// A file that a test harness keeps locked
    #[arg(long, hide = true, value_name = "FILE")]
    lease: Option<std::path::PathBuf>,
}

pub(crate) fn run(place: &Place, env: &Env, args: &Args) -> Result<(), CliError> {
    let elsewhere = place.context.as_deref().is_some_and(|name| name != LOCAL);
    if place.server.is_some() || elsewhere {
        return Err(CliError::usage(
            "`up` starts a platform here, and --server and --context name one elsewhere",
            "leave them out",
        ));
    }
    memory::share();
    let runtime = runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::here(format!("the platform cannot run: {e}"), String::new()))?;
    let data_dir = place.data_dir(env)?;
    let traces = traces(&data_dir, env, runtime.handle());
    journal::keep(&data_dir, env, traces.as_ref())?;
    let mut options = UpOptions::new(env.clone());
    options.data_dir.clone_from(&place.data_dir);
    options.listen.clone_from(&place.listen);
    options.stop_boxes = args.stop_boxes;
    options.insecure_no_sandbox = args.insecure_no_sandbox;
    options.lease.clone_from(&args.lease);
    let teller = Mutex::new(tell::Teller::default());
    let handle = runtime.handle().clone();
    let ui = |event| {
        if matches!(event, Event::Ready(_)) {
            handle.spawn(memory::give_back());
        }
        // One that panicked while telling has told; there is nothing to repair.
        let mut teller = teller.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        teller.tell(event);
    };
    let ended = runtime.block_on(smartbox_server::up(options, ui));
    if let Some(traces) = traces {
        traces.end();
    }
    runtime.shutdown_background();
    ended.map_err(explain)
}

/// Where spans go, if anywhere. What is wrong with the configuration is said by `up` itself; that nothing
/// can be sent keeps nobody from running.
fn traces(data_dir: &Path, env: &Env, runtime: &runtime::Handle) -> Option<Traces> {
    let config = Config::load(data_dir, env, &Overrides::default()).ok()?;
    Traces::start(&config.traces, runtime.clone()).unwrap_or_else(|error| {
        out::note(format!("WARNING: {error}"));
        None
    })
}

pub(super) fn explain(error: BootError) -> CliError {
    match error {
        BootError::Config(error) => CliError::Config(error),
        // The person who pressed Ctrl-C twice knows.
        BootError::Cut => CliError::Interrupted(2),
        error => CliError::Boot(error),
    }
}
