//! `smartbox snapshot`: copies of a smartbox's home, and what is done with them.

mod diff;
mod drill;
mod fork;
mod get;
mod lost;
mod ls;
mod password;
mod prune;
mod removed;
mod restore;
mod set;
mod show;
mod status;
mod take;
mod verify;

use smartbox_api::call::{Call, Json};
use smartbox_api::job::JobView;
use smartbox_api::snapshot::{Generation, NEWEST};

use super::jobs::{follow, show as job};
use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Takes, shows, restores and proves snapshots of a smartbox's home.
///
/// A snapshot is encrypted, and complete: configuration, conversations, memory and workspace as of
/// one moment. They are taken by themselves when something changed, before every sleep, restart and
/// removal; `status` says how fresh they are. GENERATION is a number of `ls`, or `newest`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Take(take::Args),
    Ls(ls::Args),
    Show(show::Args),
    Status(status::Args),
    Set(set::Args),
    Diff(diff::Args),
    Restore(restore::Args),
    Fork(fork::Args),
    Get(get::Args),
    Verify(verify::Args),
    Prune(prune::Args),
    Drill(drill::Args),
    Password(password::Args),
    Removed(removed::Args),
    Undelete(removed::Undelete),
    Purge(removed::Purge),
    Lost(lost::Args),
    Recover(lost::Recover),
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    match &args.verb {
        Verb::Take(args) => take::run(client, args).await,
        Verb::Ls(args) => ls::run(client, args).await,
        Verb::Show(args) => show::run(client, args).await,
        Verb::Status(args) => status::run(client, args).await,
        Verb::Set(args) => set::run(client, args).await,
        Verb::Diff(args) => diff::run(client, args).await,
        Verb::Restore(args) => restore::run(client, args).await,
        Verb::Fork(args) => fork::run(client, args).await,
        Verb::Get(args) => get::run(client, args).await,
        Verb::Verify(args) => verify::run(client, args).await,
        Verb::Prune(args) => prune::run(client, args).await,
        Verb::Drill(args) => drill::run(client, args).await,
        Verb::Password(args) => password::run(client, args).await,
        Verb::Removed(args) => removed::run(client, args).await,
        Verb::Undelete(args) => removed::undelete(client, args).await,
        Verb::Purge(args) => removed::purge(client, args).await,
        Verb::Lost(args) => lost::run(client, args).await,
        Verb::Recover(args) => lost::recover(client, args).await,
    }
}

/// Which smartbox.
#[derive(Debug, clap::Args)]
struct Of {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
}

/// Which snapshot of it.
#[derive(Debug, clap::Args)]
struct One {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// The generation, as `ls` lists it, or `newest`
    #[arg(default_value = NEWEST, value_parser = generation)]
    generation: String,
}

/// A number, or `newest`.
fn generation(text: &str) -> Result<String, String> {
    match text.parse::<u64>() {
        Ok(number) if number > 0 => Ok(number.to_string()),
        _ if text == NEWEST => Ok(text.to_owned()),
        _ => Err("a generation is a number of `smartbox snapshot ls`, or `newest`".into()),
    }
}

/// What commands that begin a job share.
#[derive(Debug, clap::Args)]
struct Waiting {
    /// Do not wait for the end
    #[arg(long)]
    detach: bool,
    /// Print the job as JSON
    #[arg(long)]
    json: bool,
}

/// Begins a job and follows it to its end, unless that is not wanted.
async fn job(client: &Client, call: Call<Json<JobView>>, how: &Waiting) -> Result<(), CliError> {
    let begun = or_interrupt(client.json(call)).await?;
    if !how.detach {
        return follow::to_its_end(client, &begun, 0, how.json).await;
    }
    if how.json {
        return out::json(&begun);
    }
    out::say(job::line(&begun))?;
    out::note(format!("To see how it goes: smartbox jobs follow {}", begun.id));
    Ok(())
}

/// A generation as it is asked for.
fn number(generation: Generation) -> String {
    generation.0.to_string()
}

#[cfg(test)]
mod tests {
    use super::generation;

    #[test]
    fn a_generation_is_a_number_or_the_newest() {
        assert_eq!(generation("007").unwrap(), "7");
        assert_eq!(generation("newest").unwrap(), "newest");
        for bad in ["0", "-1", "latest", "", "1.5", "../1"] {
            assert!(generation(bad).is_err(), "{bad}");
        }
    }
}
