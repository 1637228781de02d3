//! `smartbox vault rotate`.

use smartbox_api::call;
use smartbox_api::vault::{RotateVault, VaultKey};

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Makes another master key, or another data key; secrets are there meanwhile as ever
///
/// The master key wraps the data key and lies outside of the database; the data key seals every value.
/// Cut off, nothing is lost, and the next `rotate` goes on with it. Copies of the database that were made
/// before need the master key of then: keep it as long as them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Another data key: every value is sealed anew
    #[arg(long)]
    data: bool,
    /// Print an object as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let what = if args.data { VaultKey::Data } else { VaultKey::Master };
    let done = or_interrupt(client.json(call::rotate_vault(RotateVault { what }))).await?;
    if args.json {
        return out::json(&done);
    }
    match what {
        VaultKey::Master => {
            out::say(format!("the master key is {} now", done.master))?;
            out::note("note: back up keys/master.key of the data directory anew, apart from it");
            Ok(())
        }
        VaultKey::Data => {
            let resumed =
                if done.resumed { ", which finished a change that was cut off" } else { "" };
            let (key, many) = (done.data_key, done.resealed);
            out::say(format!("the data key is {key} now; {many} values were sealed anew{resumed}"))
        }
    }
}
