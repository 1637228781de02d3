//! `smartbox logout`: gives back what `smartbox login` was given.

use smartbox_api::call;
use smartbox_api::problem::Code;
use smartbox_server::config::Env;

use crate::client::contexts::{Contexts, LOCAL};
use crate::client::{Client, Key, Place};
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Forgets key and token of a platform that `smartbox login` was let in to, and has it shut this out.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The context; the platform that other commands mean if absent
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Print what came of it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(place: &Place, env: &Env, args: &Args) -> Result<(), CliError> {
    let name = meant(place, env, args)?;
    let key = Contexts::find(env, &name)?.and_then(|context| context.key);
    let Some(key) = key else {
        if name == LOCAL {
            let what = "this machine's own platform is meant, and nobody was let in to that";
            let hint = "say which one: `smartbox logout NAME`; `smartbox context ls` shows them";
            return Err(CliError::here(what, hint));
        }
        let what = format!("`{name}` was not let in by `smartbox login`");
        return Err(CliError::here(what, "`smartbox context rm` forgets it"));
    };
    let over = shut_out(place, env, &name, &key).await;
    // Forgotten here whatever the platform says: that is what was asked for.
    Contexts::forget(env, &name)?;
    let note = match &over {
        Ok(()) => "forgotten, and shut out by the platform".to_owned(),
        Err(why) => {
            let id = key.id();
            format!(
                "forgotten here; the platform still knows it ({why}): there, `smartbox devices revoke {}`",
                id.short()
            )
        }
    };
    if args.json {
        return out::json(&serde_json::json!({ "context": name, "revoked": over.is_ok() }));
    }
    out::say(format!("{name}: {note}"))
}

/// The platform that is meant, as every other command finds it.
fn meant(place: &Place, env: &Env, args: &Args) -> Result<String, CliError> {
    if let Some(name) = &args.name {
        return Ok(name.clone());
    }
    let Some(url) = place.address(env) else { return place.name(env) };
    let contexts = Contexts::read(env)?;
    contexts.name_at(url).map(str::to_owned).ok_or_else(|| {
        let what = format!("nothing was let in to {url} by `smartbox login`");
        CliError::here(what, "`smartbox context ls` shows what is kept")
    })
}

async fn shut_out(place: &Place, env: &Env, name: &str, key: &Key) -> Result<(), String> {
    let (ca, plain_http) = (place.ca.clone(), place.plain_http);
    let place = Place { context: Some(name.to_owned()), ca, plain_http, ..Place::default() };
    let client = Client::of(&place, env).map_err(|e| e.to_string())?;
    match or_interrupt(client.json(call::revoke_device(key.id().as_str()))).await {
        Ok(_) => Ok(()),
        // Shut out already: what it wants.
        Err(CliError::Problem(problem)) if problem.known() == Some(Code::Unauthenticated) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
