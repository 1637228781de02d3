//! `smartbox ls`.

use std::collections::BTreeMap;

use smartbox_api::call;
use smartbox_api::page::PageQuery;
use smartbox_api::smartbox::{BoxesQuery, SmartboxView, State};
use smartbox_core::time::Clock;
use smartbox_server::system::SystemClock;

use super::labels;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::watch::watch;
use crate::ui::{age, out, phase, table};

/// Lists the smartboxes; wakes none.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only those of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Only those in this state: stopped, starting, running, frozen or failed
    #[arg(long, value_parser = state)]
    state: Option<State>,
    /// Only those with this label, like team=support; as often as there are labels
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = labels::pair)]
    labels: Vec<(String, String)>,
    /// Those of every account; for operators
    #[arg(long, short)]
    all: bool,
    /// Print an array of smartboxes as JSON
    #[arg(long)]
    json: bool,
    /// Go on until Ctrl-C; with --json a line for each change
    #[arg(long, short)]
    watch: bool,
}

fn state(text: &str) -> Result<State, String> {
    State::parse(text).ok_or_else(|| "use stopped, starting, running, frozen or failed".into())
}

impl Args {
    fn query(&self, page: &PageQuery) -> BoxesQuery {
        let labels: Vec<_> =
            self.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        BoxesQuery {
            kind: self.kind.clone(),
            state: self.state,
            label: (!labels.is_empty()).then(|| labels.join(",")),
            account: self.all.then(|| "*".to_owned()),
            limit: page.limit,
            cursor: page.cursor.clone(),
        }
    }

    fn nothing(&self) -> &'static str {
        if self.kind.is_some() || self.state.is_some() || !self.labels.is_empty() {
            "There is no such smartbox."
        } else {
            "There is no smartbox yet; `smartbox new <name>` makes one."
        }
    }
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    if args.watch {
        return watch(async || look(client, args).await).await;
    }
    out::say(or_interrupt(look(client, args)).await?)
}

/// As text; for programs on one line if more are to follow.
async fn look(client: &Client, args: &Args) -> Result<String, CliError> {
    let boxes = client.all(|page| call::some_boxes(&args.query(page))).await?;
    if args.json {
        return if args.watch { out::one_line(&boxes) } else { out::pretty(&boxes) };
    }
    if boxes.is_empty() {
        return Ok(args.nothing().to_owned());
    }
    let now = SystemClock.now();
    let row = |view: &SmartboxView| {
        [
            view.name.clone(),
            view.kind.to_string(),
            phase::words(view),
            view.desired.to_string(),
            view.tier.clone(),
            format!("{} ago", age::ago(now, view.last_active)),
            view.url.clone(),
        ]
    };
    if !args.all {
        return Ok(table::table(HEAD, boxes.iter().map(row).collect()));
    }
    let accounts = client.all(call::accounts).await?;
    let names: BTreeMap<_, _> = accounts.into_iter().map(|of| (of.id, of.name)).collect();
    let name = |view: &SmartboxView| {
        // It may have been made since, or be gone.
        names.get(&view.account).cloned().unwrap_or_else(|| view.account.to_string())
    };
    let [a, b, c, d, e, f, g] = HEAD;
    let rows = boxes.iter().map(|view| {
        let [h, i, j, k, l, m, n] = row(view);
        [name(view), h, i, j, k, l, m, n]
    });
    Ok(table::table(["ACCOUNT", a, b, c, d, e, f, g], rows.collect()))
}

const HEAD: [&str; 7] = ["NAME", "KIND", "STATE", "DESIRED", "TIER", "ACTIVE", "ADDRESS"];
