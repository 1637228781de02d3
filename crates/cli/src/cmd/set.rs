//! `smartbox set`.

use smartbox_api::call;
use smartbox_api::smartbox::{BoxChange, Desired, SmartboxView};

use super::{act, chosen, labels};
use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Changes what is decided of a smartbox.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    display: Option<String>,
    /// A label to set, like team=support, or to remove, like team-
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = labels::change)]
    labels: Vec<labels::Change>,
    /// How much of the machine it may use; takes effect at its next start
    #[arg(long)]
    tier: Option<String>,
    /// Idle for so long it sleeps, like 10m; `default` for the platform's time, `never` for always on
    #[arg(long, value_name = "TIME")]
    sleep_after: Option<String>,
    /// Idle for so long it is stopped, like 7d; `default` for the platform's time
    #[arg(long, value_name = "TIME")]
    stop_after: Option<String>,
    /// Print the smartbox as JSON
    #[arg(long)]
    json: bool,
}

const NEVER: &str = "never";

impl Args {
    fn change(&self) -> BoxChange {
        let sleep_after = self.sleep_after.clone().filter(|text| text != NEVER);
        // Who says when it is to sleep wants it to sleep at all.
        let desired = match self.sleep_after.as_deref() {
            None | Some("default") => None,
            Some(NEVER) => Some(Desired::On),
            Some(_) => Some(Desired::Auto),
        };
        BoxChange {
            display_name: self.display.clone(),
            labels: self.labels.iter().cloned().collect(),
            tier: self.tier.clone(),
            desired,
            sleep_after,
            stop_after: self.stop_after.clone(),
        }
    }
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let change = args.change();
    if change == BoxChange::default() {
        let hint = "add --tier, --label, --display, --sleep-after or --stop-after";
        return Err(CliError::usage("nothing is to be changed", hint));
    }
    let view = match or_interrupt(client.json(call::change(&args.name, &change))).await {
        Ok(view) => view,
        Err(error) => {
            return Err(chosen::explain(client, error, None, args.tier.as_deref()).await);
        }
    };
    act::tell(&view, args.json)?;
    if !args.json && waits(&view) {
        let name = &view.name;
        out::note(format!("its tier changes at its next start; now: `smartbox restart {name}`"));
    }
    Ok(())
}

/// Whether its sandbox still has another tier.
fn waits(view: &SmartboxView) -> bool {
    view.state != smartbox_api::smartbox::State::Stopped
        && view.running_tier.as_ref().is_some_and(|tier| *tier != view.tier)
}
