//! Which smartboxes, how fast, and what to do with the job.

use std::time::Duration;

use smartbox_api::bulk::{BulkPlan, Selector};
use smartbox_api::job::JobView;
use smartbox_api::smartbox::{Kind, State};

use crate::client::Client;
use crate::cmd::act::time;
use crate::cmd::jobs::follow;
use crate::error::CliError;
use crate::ui::{out, table};

/// Which smartboxes: by name, or by what they are like, or all.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// These
    #[arg(value_name = "BOX")]
    pub(super) boxes: Vec<String>,
    /// Every smartbox of the account
    #[arg(long, conflicts_with_all = ["boxes", "kind", "label", "state", "of_account"])]
    pub(super) all: bool,
    /// Those of this kind, like project
    #[arg(long, value_name = "KIND", conflicts_with = "boxes", value_parser = kind)]
    kind: Option<Kind>,
    /// Those with these labels, like team=support; several with commas between
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "boxes")]
    label: Option<String>,
    /// Those in this state: stopped, starting, running, frozen or failed
    #[arg(long, value_name = "STATE", conflicts_with = "boxes", value_parser = state)]
    state: Option<State>,
    /// Those of this account, for operators; `*` for every account
    #[arg(long, value_name = "ACCOUNT", conflicts_with = "boxes")]
    of_account: Option<String>,
}

/// How fast, and whether at all.
#[derive(Debug, clap::Args)]
pub(super) struct How {
    /// Wait so long between two smartboxes, like 5s
    #[arg(long, value_name = "TIME", value_parser = time)]
    delay: Option<Duration>,
    /// So many at the same time, 1 to 50; 4 if absent
    #[arg(long, value_name = "N")]
    pub(super) concurrency: Option<u32>,
    /// Begin no other one once one has failed
    #[arg(long)]
    pub(super) stop_on_failure: bool,
    /// Only say what would be done
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Print the job and do not wait for it
    #[arg(long)]
    detach: bool,
    /// Print the job, or with --dry-run an array of smartboxes, as JSON
    #[arg(long)]
    pub(super) json: bool,
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| "that is not a kind; `smartbox kind ls` shows them".into())
}

fn state(text: &str) -> Result<State, String> {
    let words = "a smartbox is stopped, starting, running, frozen or failed";
    State::parse(text).ok_or_else(|| words.into())
}

impl Which {
    pub(super) fn names(&self) -> Option<Vec<String>> {
        (!self.boxes.is_empty()).then(|| self.boxes.clone())
    }

    pub(super) fn selector(&self) -> Option<Selector> {
        let selector = Selector {
            kind: self.kind.clone(),
            label: self.label.clone(),
            state: self.state,
            account: self.of_account.clone(),
        };
        (selector != Selector::default()).then_some(selector)
    }

    /// Something must be meant: all are only on request.
    pub(super) fn check(&self) -> Result<(), CliError> {
        if self.all || self.names().is_some() || self.selector().is_some() {
            return Ok(());
        }
        Err(CliError::usage(
            "which smartboxes are meant is not said",
            "name them, or add --all, --kind, --label or --state",
        ))
    }
}

impl How {
    pub(super) fn delay_ms(&self) -> u64 {
        let delay = self.delay.unwrap_or_default();
        u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)
    }

    /// Says what would be done.
    pub(super) fn plan(&self, plan: &BulkPlan) -> Result<(), CliError> {
        if self.json {
            return out::json(&plan.items);
        }
        if plan.items.is_empty() {
            return out::say("No smartbox is meant.");
        }
        let rows = plan
            .items
            .iter()
            .map(|item| {
                let would = item.skip.as_ref().map_or("yes".to_owned(), |why| format!("no: {why}"));
                [item.name.clone(), item.state.to_string(), would]
            })
            .collect();
        out::say(table::table(["NAME", "STATE", "WOULD"], rows))
    }

    /// Waits for the job, unless that is not wanted.
    pub(super) async fn job(&self, client: &Client, job: &JobView) -> Result<(), CliError> {
        match (self.detach, self.json) {
            (true, true) => out::json(job),
            (true, false) => out::say(&job.id),
            (false, json) => follow::to_its_end(client, job, 0, json).await,
        }
    }
}
