//! `smartbox context add`.

use smartbox_server::config::Env;

use crate::client::contexts::{Context, Contexts, check_name};
use crate::client::{Place, Trust, tcp};
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
    /// Its address, like `https://sb.example.com`
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

pub(super) fn run(place: &Place, env: &Env, args: &Args) -> Result<(), CliError> {
    check_name(&args.name)?;
    let reach = tcp(&args.server)?;
    let trust = Trust::of(place, env, Trust::default()).keeping(&reach)?;
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
    let context = Context { server: args.server.clone(), token, key: None, trust };
    Contexts::add(env, &args.name, &context, true)?;
    if args.choose {
        Contexts::choose(env, &args.name)?;
    }
    if args.json {
        let (name, server) = (&args.name, &args.server);
        return out::json(&serde_json::json!({ "name": name, "server": server }));
    }
    out::say(format!("{}: kept in {}", args.name, Contexts::read(env)?.place()))
}
