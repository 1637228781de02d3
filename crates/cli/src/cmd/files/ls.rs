//! `smartbox files ls` and `smartbox files stat`.

use smartbox_api::call;
use smartbox_api::file::{FileKind, FileView, FilesQuery};
use smartbox_api::page::MAX_LIMIT;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::cmd::cp::relative;
use crate::error::CliError;
use crate::ui::{age, out, size, table};

/// Lists a directory of the home
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// The directory; the home itself if none
    #[arg(default_value = "")]
    path: String,
    /// Print an array of entries as JSON
    #[arg(long)]
    json: bool,
}

/// Shows what is known of one file, directory or link
#[derive(Debug, clap::Args)]
pub(super) struct StatArgs {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// The path
    path: String,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let path = relative(&args.path);
    let mut query = FilesQuery { path: path.clone(), limit: Some(MAX_LIMIT), cursor: None };
    let mut files: Vec<FileView> = Vec::new();
    loop {
        let page = client.json(call::files(&args.name, &query)).await?;
        files.extend(page.items);
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }
    if args.json {
        return out::json(&files);
    }
    let now = SystemClock.now();
    let rows = files.iter().map(|file| row(now, file)).collect();
    out::say(table::table(["MODE", "SIZE", "CHANGED", "NAME"], rows))
}

pub(super) async fn stat(client: &Client, args: &StatArgs) -> Result<(), CliError> {
    let file = client.json(call::file(&args.name, &relative(&args.path))).await?;
    if args.json {
        return out::json(&file);
    }
    let facts = [
        ("name", shown(&file)),
        ("kind", kind(file.kind).to_owned()),
        ("size", file.size.to_string()),
        ("mode", file.mode.clone()),
        ("changed", age::when(SystemClock.now(), Timestamp(file.modified))),
        ("etag", file.etag.clone()),
    ];
    out::say(table::facts(&facts))
}

fn row(now: Timestamp, file: &FileView) -> [String; 4] {
    let size = if file.kind == FileKind::File { size::bytes(file.size) } else { "-".into() };
    let changed = format!("{} ago", age::ago(now, Timestamp(file.modified)));
    [file.mode.clone(), size, changed, shown(file)]
}

/// A name and what it is, on one line whatever the box called it.
fn shown(file: &FileView) -> String {
    let name = out::line(&file.name);
    match (file.kind, &file.target) {
        (FileKind::Directory, _) => format!("{name}/"),
        (FileKind::Link, Some(target)) => format!("{name} -> {}", out::line(target)),
        (FileKind::Other, _) => format!("{name} (no file)"),
        _ => name,
    }
}

fn kind(kind: FileKind) -> &'static str {
    match kind {
        FileKind::File => "file",
        FileKind::Directory => "directory",
        FileKind::Link => "link",
        FileKind::Other => "neither file, directory nor link",
    }
}
