//! `smartbox login`: asks a platform elsewhere to be let in, and keeps what comes of it.

use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use smartbox_api::device::{DeviceAsk, DeviceAsked, DeviceToken, GRANT, OAuthError, TokenAsk};
use smartbox_api::paths::{DEVICE_AUTHORIZE, DEVICE_TOKEN};
use smartbox_api::problem::{Exit, Problem};
use smartbox_core::device::code;
use smartbox_core::person::Right;
use smartbox_core::secret::Secret;
use smartbox_server::config::Env;

use crate::client::contexts::{Context, Contexts, check_name};
use crate::client::{Client, Key, Place, Trust, same_address, tcp};
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{out, qr};

/// Is let in to a platform elsewhere: somebody there approves a code.
///
/// Makes a key, shows a code and six digits, and waits until somebody of the account has compared the
/// digits and approved the code, on the page that is named or with `smartbox devices approve`. Key and
/// token are kept as a context; the token alone is good for nothing. Done again it goes on with the same
/// key, and is let in at once to what it was let in to before.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The platform's address, like `https://sb.example.com`
    #[arg(value_name = "URL")]
    server: String,
    /// The name of the context that is made: 1 to 40 of a-z, 0-9 and -
    #[arg(long = "as", value_name = "NAME", default_value = "platform")]
    name: String,
    /// Take the name also if it is kept for another platform, which is forgotten here
    #[arg(long)]
    replace: bool,
    /// How much to ask for: read, chat, manage or own; who approves may give less
    #[arg(long, value_name = "RIGHT", default_value = "manage", value_parser = right)]
    right: Right,
    /// The account to come in to; the platform's first one if absent
    #[arg(long = "to", value_name = "ACCOUNT")]
    account: Option<String>,
    /// Show the address to approve it at as a QR code too, on a terminal
    #[arg(long)]
    qr: bool,
    /// Print what came of it as JSON
    #[arg(long)]
    json: bool,
}

/// Reads a right.
pub(crate) fn right(text: &str) -> Result<Right, String> {
    Right::parse(text).ok_or_else(|| "write read, chat, manage or own".to_owned())
}

pub(crate) async fn run(place: &Place, env: &Env, args: &Args) -> Result<(), CliError> {
    let reach = tcp(&args.server)?;
    check_name(&args.name)?;
    if !args.replace {
        Contexts::free_for(env, &args.name, &args.server)?;
    }
    // What is believed here is what is kept.
    let trust = Trust::of(place, env, kept(env, args)?).keeping(&reach)?;
    // Kept before somebody approves it: of a login that is cut off nothing is lost.
    let key = Contexts::key_for(env, &args.name, &args.server)?;
    let again = Key::read(&key.written())?;
    let client = Client::with_key(&args.server, key, trust.clone())?;
    let token = match or_interrupt(let_in(&client, args, &again)).await {
        Ok(Ok(token)) => token,
        Ok(Err(refused)) => {
            // Of a request that is over in another way the key may have been let in.
            if refused.error == "access_denied" {
                Contexts::ask_no_more(env, &args.name, &again)?;
            }
            return Err(denied(&refused));
        }
        Err(error) => {
            if matches!(error, CliError::Usage { .. }) {
                Contexts::ask_no_more(env, &args.name, &again)?;
            }
            return Err(error);
        }
    };
    let (right, device) = (token.scope, token.device.clone());
    let context = Context {
        server: args.server.clone(),
        token: Some(Secret::new(token.access_token)),
        key: Some(again),
        trust,
    };
    Contexts::add(env, &args.name, &context, args.replace)?;
    Contexts::choose(env, &args.name)?;
    if args.json {
        return out::json(&serde_json::json!({
            "context": args.name, "server": args.server, "right": right, "device": device,
        }));
    }
    let used = if in_use(env, &args.name) {
        "and in use".to_owned()
    } else {
        format!("and used with `--context {}`: the environment names another platform", args.name)
    };
    out::say(format!("{}: let in with `{}`, {used}", args.name, right.as_str()))
}

/// Whether a command that names no platform means this one from now on.
fn in_use(env: &Env, name: &str) -> bool {
    let usual = Place::default();
    usual.address(env).is_none() && usual.name(env).is_ok_and(|meant| meant == name)
}

/// What is kept of whom to trust, if this context is there already.
fn kept(env: &Env, args: &Args) -> Result<Trust, CliError> {
    let contexts = Contexts::read(env)?;
    let there = contexts.names().any(|name| name == args.name);
    let context = if there { contexts.get(&args.name)? } else { None };
    let same = context.filter(|context| same_address(&context.server, &args.server));
    Ok(same.map(|context| context.trust).unwrap_or_default())
}

/// Asks, and waits for what is decided, across a platform that goes away and comes back.
async fn let_in(
    client: &Client,
    args: &Args,
    key: &Key,
) -> Result<Result<DeviceToken, OAuthError>, CliError> {
    let ask = DeviceAsk {
        client_id: Some("cli".into()),
        scope: Some(args.right.as_str().to_owned()),
        name: Some(host_name()),
        platform: Some(format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
        account: args.account.clone(),
    };
    let asked: DeviceAsked = match read(client.form(DEVICE_AUTHORIZE, &ask, None).await?)? {
        Ok(asked) => asked,
        Err(refused) => return Ok(Err(refused)),
    };
    let poll = TokenAsk { grant_type: GRANT.into(), device_code: asked.device_code.clone() };
    let end = Instant::now().checked_add(Duration::from_secs(asked.expires_in));
    let (mut interval, mut shown, mut away) = (asked.interval, false, false);
    loop {
        match client.form(DEVICE_TOKEN, &poll, Some(&asked.nonce)).await.and_then(read) {
            Ok(Ok(token)) => return Ok(Ok(token)),
            Ok(Err(refused)) => match refused.error.as_str() {
                "authorization_pending" => {}
                "slow_down" => interval = interval.saturating_add(5),
                _ => return Ok(Err(refused)),
            },
            Err(error) if error.is_passing() && end.is_some_and(|end| Instant::now() < end) => {
                if !away {
                    out::note("the platform is away; waiting for it (Ctrl-C ends)");
                }
                away = true;
            }
            Err(error) => return Err(error),
        }
        // A key that is let in already has nothing to be approved.
        if !shown {
            show(&asked, &code::comparison(Some(&key.public()), &asked.nonce), args.qr);
            shown = true;
        }
        tokio::time::sleep(Duration::from_secs(interval)).await;
    }
}

/// What somebody needs who is to approve it. The platform's words are a stranger's until then.
fn show(asked: &DeviceAsked, digits: &str, as_qr: bool) {
    let code = out::line(&asked.user_code);
    out::note(format!(
        "To let this device in, open\n\n  {}\n\nand enter the code, or in one step\n\n  {}\n\n\
         code     {code}\ndigits   {digits}\n\n\
         Whoever approves it sees the same digits, or somebody is in between.\n\
         On the platform's own machine: smartbox devices approve {code}",
        out::line(&asked.verification_uri),
        out::line(&asked.verification_uri_complete),
    ));
    if as_qr {
        qr::show(&asked.verification_uri_complete);
    }
}

/// An answer, or a refusal in OAuth's words.
fn read<T: DeserializeOwned>(
    (status, bytes): (u16, bytes::Bytes),
) -> Result<Result<T, OAuthError>, CliError> {
    let garbled = |e: serde_json::Error| CliError::Garbled(e.to_string());
    if status == 200 {
        return serde_json::from_slice(&bytes).map(Ok).map_err(garbled);
    }
    match serde_json::from_slice::<OAuthError>(&bytes) {
        Ok(refused) => Ok(Err(refused)),
        Err(_) => match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => Err(CliError::Problem(Box::new(problem))),
            Err(_) => Err(CliError::Garbled(format!("it answered with status {status}"))),
        },
    }
}

fn denied(refused: &OAuthError) -> CliError {
    CliError::Here {
        what: format!("not let in: {}", out::line(&refused.error_description)),
        hint: "ask again with `smartbox login`; for another account add `--as` and another name"
            .into(),
        exit: Exit::Denied,
    }
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
