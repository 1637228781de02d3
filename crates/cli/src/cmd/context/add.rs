//! `smartbox context add`.

use smartbox_server::config::Env;

use crate::client::check_address;
use crate::client::contexts::{Context, Contexts, check_name};
use crate::error::CliError;
use crate::ui::{ask, out};

/// No token is longer.
const MAX_TOKEN: usize = 4096;

/// Names a platform; its token is asked for unseen, or read from standard input.
///
/// `smartbox token create` on the platform's own machine makes a token. Adding a name again replaces
/// what was kept under it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name: 1 to 40 of a-z, 0-9 and -, beginning with a letter
    name: String,
    /// Its address, like http://10.0.0.5:7777
    #[arg(value_name = "URL")]
    server: String,
    /// Keep no token: SMARTBOX_TOKEN has it each time
    #[arg(long)]
    no_token: bool,
    /// From now on commands mean this one
    #[arg(long = "use")]
    choose: bool,
    /// Print the name as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(env: &Env, args: &Args) -> Result<(), CliError> {
    check_name(&args.name)?;
    check_address(&args.server)?;
    let token = if args.no_token {
        None
    } else {
        let token = ask::secret(&format!("Token for {}: ", args.name), MAX_TOKEN)?;
        let good =
            !token.expose().is_empty() && token.expose().bytes().all(|b| b.is_ascii_graphic());
        if !good || token.expose().len() > MAX_TOKEN {
            let hint = "give it as it was printed, on one line; or add --no-token";
            return Err(CliError::usage("that is not a token", hint));
        }
        Some(token)
    };
    Contexts::add(env, &args.name, &Context { server: args.server.clone(), token, key: None })?;
    if args.choose {
        Contexts::choose(env, &args.name)?;
    }
    if args.json {
        let (name, server) = (&args.name, &args.server);
        return out::json(&serde_json::json!({ "name": name, "server": server }));
    }
    out::say(format!("{}: kept in {}", args.name, Contexts::read(env)?.place()))
}
