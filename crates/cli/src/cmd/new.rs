//! `smartbox new`.

use std::path::PathBuf;
use std::time::Duration;

use smartbox_api::call;
use smartbox_api::execs::MAX_WAIT_MS;
use smartbox_api::page::PageQuery;
use smartbox_api::smartbox::{Desired, Kind, NewSmartbox, State};
use smartbox_core::smartbox::name;
use smartbox_core::smartbox::repository::Repository;

use super::{act, chosen, cp, labels};
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Makes a smartbox.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name: 1 to 40 of a-z, 0-9 and -, beginning with a letter
    name: String,
    /// The kind to make it from, like project or research; `smartbox kind ls` shows them
    #[arg(long, value_parser = kind)]
    kind: Option<Kind>,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    display: Option<String>,
    /// A label, like team=support; as often as there are labels
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = labels::pair)]
    labels: Vec<(String, String)>,
    /// How much of the machine it may use: the name of a tier
    #[arg(long)]
    tier: Option<String>,
    /// Let it sleep when idle and wake on demand
    #[arg(long)]
    auto: bool,
    /// Put what is in this folder into its workspace, where its assistant works
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Clone this git repository into its workspace: https://…, ssh://… or git@host:path
    #[arg(long, value_name = "URL", value_parser = repository)]
    repo: Option<String>,
    /// Print the smartbox as JSON
    #[arg(long)]
    json: bool,
}

/// Where the engine works, relative to the home.
const WORKSPACE: &str = ".openclaw/workspace";

fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text)
        .ok_or_else(|| "a kind is like `project`; `smartbox kind ls` shows them".into())
}

fn repository(text: &str) -> Result<String, String> {
    Repository::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    name::check(&args.name).map_err(|e| {
        CliError::usage(e.to_string(), "a name becomes part of an address, like pa.localhost")
    })?;
    // Said before there is a smartbox that somebody would have to remove.
    if let Some(folder) = args.folder.as_ref().filter(|folder| !folder.is_dir()) {
        let what = format!("{} is not a folder", out::line(&folder.to_string_lossy()));
        return Err(CliError::usage(what, "name one, or leave --folder out"));
    }
    let new = NewSmartbox {
        name: args.name.clone(),
        display_name: args.display.clone(),
        labels: labels::of(&args.labels)?,
        kind: args.kind.clone(),
        tier: args.tier.clone(),
        engine: None,
        desired: args.auto.then_some(Desired::Auto),
        repository: args.repo.clone(),
    };
    let view = match or_interrupt(client.json(call::new_smartbox(&new))).await {
        Ok(view) => view,
        Err(error) => {
            let (kind, tier) = (args.kind.as_ref().map(Kind::as_str), args.tier.as_deref());
            return Err(chosen::explain(client, error, kind, tier).await);
        }
    };
    if let Some(folder) = &args.folder {
        or_interrupt(cp::folder_into(client, folder, &view.name, WORKSPACE)).await?;
    }
    if let Some(url) = &args.repo {
        or_interrupt(cloned(client, &view.name, url)).await?;
    }
    // Made and not begun yet; the wish says what comes.
    if !args.json && view.state == State::Stopped && view.desired == Desired::On {
        out::say(format!("{}: made, and starting", view.name))?;
    } else {
        act::tell(&view, args.json)?;
    }
    if !args.json {
        let name = &view.name;
        out::note(format!("`smartbox chat {name}` talks to it, `smartbox open {name}` shows it."));
    }
    Ok(())
}

/// Waits for the clone, which goes on without us.
async fn cloned(client: &Client, name: &str, url: &str) -> Result<(), CliError> {
    out::note(format!("Cloning {} …", out::line(url)));
    let newest = PageQuery { limit: Some(1), cursor: None };
    let mut execs = client.json(call::execs(name, &newest)).await?.items;
    let Some(mut view) = execs.pop() else { return Ok(()) };
    while !view.state.is_final() {
        let call = call::exec_job(name, view.id.as_str(), MAX_WAIT_MS);
        view = client.json_within(call, Duration::from_millis(MAX_WAIT_MS)).await?;
    }
    if view.exit.as_ref().and_then(|exit| exit.code) == Some(0) {
        return Ok(());
    }
    let said = view.stderr.map(|stderr| stderr.text).unwrap_or_default();
    let last =
        said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it was cut off");
    Err(CliError::here(
        format!("{name} is there, but the repository could not be cloned: {}", out::line(last)),
        format!(
            "if it asks who you are: smartbox secret set GITHUB_TOKEN, smartbox secret bind \
             GITHUB_TOKEN --as github, and then clone it by `smartbox exec {name} -- git clone {url}`"
        ),
    ))
}
