//! `smartbox secret`: values go in and never come out.

mod bind;
mod bound;
mod held;
mod ls;
mod rm;
mod rollback;
mod set;
mod storage;
mod versions;

use serde_json::{Value, json};

use crate::client::Client;
use crate::error::CliError;

/// Keeps keys for model providers and the like, sealed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Set(set::Args),
    Ls(ls::Args),
    Rm(rm::Args),
    Versions(versions::Args),
    Rollback(rollback::Args),
    Bind(bind::Args),
    Unbind(bind::Unbind),
    Placeholders(held::Args),
    Services(held::Services),
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        Verb::Set(args) => set::run(client, args).await,
        Verb::Ls(args) => ls::run(client, args).await,
        Verb::Rm(args) => rm::run(client, args).await,
        Verb::Versions(args) => versions::run(client, args).await,
        Verb::Rollback(args) => rollback::run(client, args).await,
        Verb::Bind(args) => bind::run(client, args).await,
        Verb::Unbind(args) => bind::unbind(client, args).await,
        Verb::Placeholders(args) => held::run(client, args).await,
        Verb::Services(args) => held::services(client, args).await,
    }
}

/// Which secret it was, for a program.
fn told(name: &str, smartbox: Option<&str>, platform: bool) -> Value {
    match platform {
        true => json!({ "name": name, "platform": true }),
        false => json!({ "name": name, "box": smartbox }),
    }
}
