//! `smartbox snapshot password`.

use smartbox_api::call;
use smartbox_api::snapshot::Password;

use super::Of;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out};

const MAX: usize = 1024;

/// Adds a password by which the restic program opens the snapshots of a smartbox.
///
/// It is typed unseen, or read from standard input. It cannot be taken back: whoever had it may have
/// read the key behind it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: Of,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let name = &args.of.name;
    let archive = or_interrupt(client.json(call::archive(name))).await?;
    let password = ask::secret("Password: ", MAX)?;
    let body = Password { password: password.expose().clone() };
    or_interrupt(client.nothing(call::snapshot_password(name, &body))).await?;
    out::say(format!("{name}: restic opens its repository in {} with it now", archive.storage))?;
    out::note(
        "Never run `restic prune` or `restic forget` on it: they know nothing of generations.",
    );
    Ok(())
}
