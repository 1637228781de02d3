//! `smartbox snapshot show`.

use smartbox_api::call;
use smartbox_api::file::{FileKind, FilesQuery};
use smartbox_core::time::{Clock, Timestamp};
use smartbox_server::system::SystemClock;

use super::{One, number};
use crate::client::Client;
use crate::cmd::cp::relative;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out, size, table};

/// Shows a snapshot, and what a folder of it holds
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    one: One,
    /// The folder; the home itself if absent
    #[arg(default_value = "")]
    path: String,
    /// Print the snapshot as JSON, or with a path an array of what is there
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let One { name, generation } = &args.one;
    let path = relative(&args.path);
    let snapshot = or_interrupt(client.json(call::snapshot(name, generation))).await?;
    let query = |which: &smartbox_api::page::PageQuery| FilesQuery {
        path: path.clone(),
        limit: which.limit,
        cursor: which.cursor.clone(),
    };
    // By its number: another may be the newest by the second page.
    let number = number(snapshot.generation);
    if args.json && path.is_empty() {
        return out::json(&snapshot);
    }
    let files = client.all(|which| call::snapshot_files(name, &number, &query(which)));
    let files = or_interrupt(files).await?;
    if args.json {
        return out::json(&files);
    }
    let now = SystemClock.now();
    if path.is_empty() {
        let facts = [
            ("generation", number),
            ("id", snapshot.id),
            ("taken", format!("{} ({})", age::when(now, snapshot.time), snapshot.why)),
            ("files", format!("{} ({})", snapshot.files, size::bytes(snapshot.bytes))),
            ("added", size::bytes(snapshot.added)),
            ("verified", snapshot.verified.map_or_else(|| "no".into(), |at| age::when(now, at))),
        ];
        out::say(format!("{}\n", table::facts(&facts)))?;
    }
    let rows = files
        .iter()
        .map(|file| {
            let name = match (&file.target, file.kind) {
                (Some(target), _) => format!("{} -> {target}", file.name),
                (None, FileKind::Directory) => format!("{}/", file.name),
                _ => file.name.clone(),
            };
            let size =
                if file.kind == FileKind::File { size::bytes(file.size) } else { String::new() };
            [file.mode.clone(), size, age::when(now, Timestamp(file.modified)), out::line(&name)]
        })
        .collect();
    out::say(table::table(["MODE", "SIZE", "MODIFIED", "NAME"], rows))
}
