//! `smartbox login`: asks a platform elsewhere to be let in, and keeps what comes of it.

use std::time::Duration;

use serde::de::DeserializeOwned;
use smartbox_api::device::{DeviceAsk, DeviceAsked, DeviceToken, GRANT, OAuthError, TokenAsk};
use smartbox_api::paths::{DEVICE_AUTHORIZE, DEVICE_TOKEN};
use smartbox_api::problem::{Exit, Problem};
use smartbox_core::device::code;
use smartbox_core::person::Right;
use smartbox_core::secret::Secret;
use smartbox_server::config::Env;

use crate::client::contexts::{Context, Contexts, check_name};
use crate::client::{Client, Key, check_address};
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{out, qr};

/// Is let in to a platform elsewhere: somebody there approves a code.
///
/// Makes a key, shows a code and six digits, and waits until somebody of the account has compared the
/// digits and approved the code (`smartbox devices approve`). Key and token are kept as a context; the
/// token alone is good for nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The platform's address, like http://10.0.0.5:7777
    #[arg(value_name = "URL")]
    server: String,
    /// The name of the context that is made: 1 to 40 of a-z, 0-9 and -
    #[arg(long = "as", value_name = "NAME", default_value = "platform")]
    name: String,
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

pub(crate) async fn run(env: &Env, args: &Args) -> Result<(), CliError> {
    check_address(&args.server)?;
    check_name(&args.name)?;
    // Before somebody approves what then cannot be kept.
    drop(Contexts::read(env)?);
    let key = Key::new();
    let (public, secret) = (key.public(), key.written());
    let client = Client::with_key(&args.server, key)?;
    let token = or_interrupt(let_in(&client, args, |nonce| code::comparison(Some(&public), nonce)));
    let token = token.await?;
    let (right, device) = (token.scope, token.device.clone());
    let context = Context {
        server: args.server.clone(),
        token: Some(Secret::new(token.access_token)),
        key: Some(Key::read(&secret)?),
    };
    Contexts::add(env, &args.name, &context)?;
    Contexts::choose(env, &args.name)?;
    if args.json {
        return out::json(&serde_json::json!({
            "context": args.name, "server": args.server, "right": right, "device": device,
        }));
    }
    out::say(format!("{}: let in with `{right}`, and in use", args.name, right = right.as_str()))
}

async fn let_in(
    client: &Client,
    args: &Args,
    digits: impl Fn(&str) -> String,
) -> Result<DeviceToken, CliError> {
    let ask = DeviceAsk {
        client_id: Some("cli".into()),
        scope: Some(args.right.as_str().to_owned()),
        name: Some(host_name()),
        platform: Some(format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)),
        account: args.account.clone(),
    };
    let asked: DeviceAsked = match read(client.form(DEVICE_AUTHORIZE, &ask, None).await?)? {
        Ok(asked) => asked,
        Err(refused) => return Err(denied(&refused)),
    };
    out::note(format!(
        "code     {}\ndigits   {}\n\nWhoever approves the code sees the same digits, \
         or somebody is in between.\nWhere you are signed in already: smartbox devices approve {}",
        asked.user_code,
        digits(&asked.nonce),
        asked.user_code
    ));
    if args.qr {
        qr::show(&asked.verification_uri_complete);
    }
    let poll = TokenAsk { grant_type: GRANT.into(), device_code: asked.device_code };
    let mut interval = asked.interval;
    loop {
        tokio::time::sleep(Duration::from_secs(interval)).await;
        match read(client.form(DEVICE_TOKEN, &poll, Some(&asked.nonce)).await?)? {
            Ok(token) => return Ok(token),
            Err(refused) => match refused.error.as_str() {
                "authorization_pending" => {}
                "slow_down" => interval += 5,
                _ => return Err(denied(&refused)),
            },
        }
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
        hint: "ask again with `smartbox login`".into(),
        exit: Exit::Denied,
    }
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
