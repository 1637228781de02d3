//! `smartbox files rm`, `mkdir` and `mv`.

use smartbox_api::call;
use smartbox_api::file::{FileView, NewDirectory, RemoveQuery, Rename};

use crate::client::Client;
use crate::cmd::completions::names;
use crate::cmd::cp::relative;
use crate::error::CliError;
use crate::ui::out;

/// Removes a file, a link or a directory
#[derive(Debug, clap::Args)]
pub(super) struct RmArgs {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// The path
    path: String,
    /// A directory with everything in it
    #[arg(short, long)]
    recursive: bool,
}

/// Makes a directory
#[derive(Debug, clap::Args)]
pub(super) struct MkdirArgs {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// The path
    path: String,
    /// Make what is missing on the way, and be content if it is there
    #[arg(short, long)]
    parents: bool,
    /// Print the directory as JSON
    #[arg(long)]
    json: bool,
}

/// Gives a file or directory another name
#[derive(Debug, clap::Args)]
pub(super) struct MvArgs {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// The path
    from: String,
    /// The new path
    to: String,
    /// Replace what is there
    #[arg(short, long)]
    force: bool,
    /// Print what has the new name as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn rm(client: &Client, args: &RmArgs) -> Result<(), CliError> {
    let query = RemoveQuery { path: relative(&args.path), recursive: args.recursive };
    client.nothing(call::remove_file(&args.name, &query)).await
}

pub(super) async fn mkdir(client: &Client, args: &MkdirArgs) -> Result<(), CliError> {
    let new = NewDirectory { path: relative(&args.path), parents: args.parents };
    tell(&client.json(call::make_directory(&args.name, &new)).await?, args.json)
}

pub(super) async fn mv(client: &Client, args: &MvArgs) -> Result<(), CliError> {
    let rename = Rename { from: relative(&args.from), to: relative(&args.to), replace: args.force };
    tell(&client.json(call::rename_file(&args.name, &rename)).await?, args.json)
}

fn tell(file: &FileView, json: bool) -> Result<(), CliError> {
    if json { out::json(file) } else { Ok(()) }
}
