//! `smartbox top`.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Duration;

use smartbox_api::call;
use smartbox_api::dashboard::{Dashboard, Member, Space};
use smartbox_api::page::{MAX_LIMIT, PageQuery};
use smartbox_core::time::Timestamp;

use super::act::time;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::table::{facts, table};
use crate::ui::{age, out, size, term};

/// Shows all smartboxes at once, those that need somebody first; wakes none.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Show it again and again, in place, until Ctrl-C
    #[arg(long, short)]
    watch: bool,
    /// How long between two looks
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time)]
    every: Duration,
    /// Print JSON; with --watch one line a look
    #[arg(long)]
    json: bool,
}

/// Takes the cursor home; each line is cleared after its text and the rest at the end, so that nothing flickers.
const HOME: &str = "\u{1b}[H";
const REST_OF_LINE: &str = "\u{1b}[K\n";
const REST: &str = "\u{1b}[J";
/// Between two looks at the least.
const LEAST: Duration = Duration::from_millis(200);

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    if !args.watch {
        let whole = or_interrupt(look(client)).await?;
        return if args.json { out::json(&whole) } else { out::say(screen(&whole, usize::MAX)) };
    }
    or_interrupt(watch(client, args)).await
}

async fn watch(client: &Client, args: &Args) -> Result<(), CliError> {
    let in_place = !args.json && std::io::stdout().is_terminal();
    if in_place {
        out::raw(b"\x1b[2J")?;
    }
    let mut tick = tokio::time::interval(args.every.max(LEAST));
    loop {
        tick.tick().await;
        let whole = look(client).await?;
        if args.json {
            out::json_line(&whole)?;
        } else if in_place {
            let rows = usize::from(term::size().rows);
            let text = screen(&whole, rows.saturating_sub(1));
            let lines = text.replace('\n', REST_OF_LINE);
            out::raw(format!("{HOME}{lines}{REST_OF_LINE}{REST}").as_bytes())?;
        } else {
            out::say(format!("{}\n", screen(&whole, usize::MAX)))?;
        }
    }
}

/// The dashboard with all of its boxes.
async fn look(client: &Client) -> Result<Dashboard, CliError> {
    let mut which = PageQuery { limit: Some(MAX_LIMIT), cursor: None };
    let mut whole = client.json(call::dashboard(&which)).await?;
    which.cursor = whole.boxes.next.take();
    // A platform that gives more pages than it has boxes counts in circles.
    for _ in 0..whole.counts.boxes {
        let Some(cursor) = which.cursor.take() else { break };
        which.cursor = Some(cursor);
        let more = client.json(call::dashboard(&which)).await?;
        whole.boxes.items.extend(more.boxes.items);
        which.cursor = more.boxes.next;
    }
    Ok(whole)
}

/// At most so many lines of text.
fn screen(whole: &Dashboard, lines: usize) -> String {
    let machine = &whole.machine;
    let issues = if whole.issues.is_empty() {
        "none".to_owned()
    } else {
        format!("{} (`smartbox issues`)", words(&whole.issues))
    };
    let today = &whole.today;
    let head = facts(&[
        ("boxes", format!("{}: {}", whole.counts.boxes, words(&whole.counts.state))),
        ("desired", words(&whole.counts.desired)),
        ("issues", issues),
        (
            "machine",
            format!(
                "load {:.2} on {} processors, memory {}, swap {}, disk {}",
                machine.load,
                machine.cpus,
                free(machine.memory),
                free(machine.swap),
                free(machine.disk)
            ),
        ),
        (
            "models",
            format!(
                "{} calls today: {} tokens read, {} written",
                today.calls, today.input, today.output
            ),
        ),
    ]);
    let rows = whole.boxes.items.iter().map(|member| row(member, whole.at)).collect();
    let names = ["ACCOUNT", "NAME", "KIND", "TIER", "STATE", "SINCE", "MEMORY", "ISSUES", "ACTIVE"];
    let text = format!("{head}\n\n{}", table(names, rows));
    text.lines().take(lines).collect::<Vec<_>>().join("\n")
}

fn row(member: &Member, now: Timestamp) -> [String; 9] {
    let state = match (member.tripped, member.reason) {
        (true, reason) => format!("tripped ({})", reason.map_or("?", |reason| reason.as_str())),
        (false, Some(reason)) => format!("{} ({reason})", member.state),
        (false, None) => member.state.to_string(),
    };
    let held = member.memory.resident + member.memory.swapped;
    [
        member.account.clone(),
        member.name.clone(),
        member.kind.to_string(),
        member.tier.clone(),
        state,
        member.since.map_or_else(String::new, |since| age::ago(now, since)),
        if held > 0 { size::bytes(held) } else { "-".into() },
        if member.issues > 0 { member.issues.to_string() } else { "-".into() },
        age::ago(now, member.last_active),
    ]
}

fn words(counts: &BTreeMap<String, u64>) -> String {
    let parts: Vec<String> = counts.iter().map(|(word, n)| format!("{n} {word}")).collect();
    parts.join(", ")
}

fn free(space: Space) -> String {
    match space.total {
        0 => "none".into(),
        total => format!("{} free of {}", size::bytes(space.free), size::bytes(total)),
    }
}
