//! `smartbox history`.

use smartbox_api::call;
use smartbox_api::message::Role;
use smartbox_api::page::{MAX_LIMIT, PageQuery};

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Prints what was said in a conversation, as the smartbox remembers it; wakes it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX")]
    name: String,
    /// The conversation, as `sessions` lists it
    #[arg(default_value = "main")]
    session: String,
    /// Only the newest so many entries
    #[arg(long, value_name = "ENTRIES", default_value_t = 50)]
    tail: usize,
    /// Print an array of entries as JSON, oldest first
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let mut entries = Vec::new();
    let mut which = PageQuery::default();
    loop {
        let left = args.tail.saturating_sub(entries.len());
        if left == 0 {
            break;
        }
        which.limit = Some(u16::try_from(left).unwrap_or(MAX_LIMIT).min(MAX_LIMIT));
        let page =
            or_interrupt(client.json(call::history(&args.name, &args.session, &which))).await?;
        // The platform does not give more than was asked for; if it did, these are the newest.
        let beyond = page.items.len().saturating_sub(left);
        entries.splice(0..0, page.items.into_iter().skip(beyond));
        which.cursor = page.next;
        if which.cursor.is_none() {
            break;
        }
    }
    if args.json {
        return out::json(&entries);
    }
    for entry in &entries {
        let who = match entry.role {
            Role::Person => "you",
            Role::Assistant => "it",
            Role::Other => "-",
        };
        if !entry.text.trim().is_empty() {
            out::say(format!(
                "{who:>3}  {}",
                out::tame(entry.text.trim()).replace('\n', "\n     ")
            ))?;
        }
    }
    Ok(())
}
