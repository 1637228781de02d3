//! `smartbox version`.

use smartbox_api::call;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::out;

/// Prints the version of this command, and of the platform that it reaches.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: Result<Client, CliError>, args: &Args) -> Result<(), CliError> {
    let own = env!("CARGO_PKG_VERSION");
    // A platform that is not there has no version, and that is no failure here.
    let platform = match client {
        Ok(client) => client.json(call::status()).await.ok(),
        Err(_) => None,
    };
    let version = platform.as_ref().map(|status| status.version.as_str());
    if args.json {
        let engine = platform.as_ref().map(|status| &status.engine);
        return out::json(
            &serde_json::json!({ "version": own, "platform": version, "engine": engine }),
        );
    }
    out::say(format!("smartbox {own}"))?;
    match &platform {
        Some(status) if status.version != own => {
            out::say(format!("the platform is of version {}; restart it", status.version))
        }
        Some(status) => {
            out::say(format!("engine {} {}", status.engine.name, status.engine.version))
        }
        None => Ok(()),
    }
}
