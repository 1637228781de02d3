//! `smartbox execs`: commands that go on without anybody, and what they wrote.

mod cancel;
mod ls;
mod show;

use smartbox_api::execs::ExecView;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::out;

/// Looks at commands that `exec --detach` began, and stops them; wakes nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Ls(ls::Args),
    Show(show::Args),
    Cancel(cancel::Args),
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        Verb::Ls(args) => ls::run(client, args).await,
        Verb::Show(args) => show::run(client, args).await,
        Verb::Cancel(args) => cancel::run(client, args).await,
    }
}

/// Where it is, and how it ended.
fn state(view: &ExecView) -> String {
    match &view.exit {
        Some(exit) if exit.timed_out => "killed at its deadline".into(),
        Some(exit) => match (exit.code, exit.signal) {
            (Some(code), _) => format!("exit {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => view.state.as_str().into(),
        },
        None => view.state.as_str().into(),
    }
}

/// Its words, as far as they fit a line. Some are another person's: harmless for a terminal.
fn words(view: &ExecView) -> String {
    const MOST: usize = 60;
    let line = out::tame(&view.argv.join(" ")).replace(['\n', '\t'], " ");
    match line.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}
