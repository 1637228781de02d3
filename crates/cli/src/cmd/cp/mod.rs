//! `smartbox cp`: files and folders between this machine and a box's home.

mod arrived;
mod aside;
mod download;
mod place;
mod progress;
mod stream;
mod upload;

use place::{Place, Side};

pub(crate) use place::relative;
pub(crate) use progress::Progress;
pub(crate) use stream::stream_to;
pub(crate) use upload::{pack, read};

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;

/// Copies a file or folder into a smartbox or out of it; wakes nothing.
///
/// One side is `BOX:PATH`, relative to the box's home (`pa:notes/today.md`), the other a path here,
/// or `-` for standard input or output. A file arrives whole or not at all, and its SHA-256 is
/// compared at both ends. Links are not copied.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Copy a folder with everything in it; `FOLDER/.` means what is in it
    #[arg(short, long)]
    recursive: bool,
    /// What to copy: a path, BOX:PATH or -
    source: String,
    /// Where to: a path, BOX:PATH or -
    target: String,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    or_interrupt(copy(client, args)).await
}

async fn copy(client: &Client, args: &Args) -> Result<(), CliError> {
    match (Side::parse(&args.source), Side::parse(&args.target)) {
        (Side::Here(from), Side::There(to)) => {
            upload::upload(client, &from, &to, args.recursive, args.quiet).await
        }
        (Side::There(from), Side::Here(to)) => {
            download::download(client, &from, &to, args.recursive, args.quiet).await
        }
        (Side::Here(_), Side::Here(_)) => Err(CliError::usage(
            "neither side is a smartbox",
            "write one of them as BOX:PATH, like `pa:notes/today.md`",
        )),
        (Side::There(_), Side::There(_)) => Err(CliError::usage(
            "both sides are smartboxes",
            "copy it here first, and then to the other one",
        )),
    }
}

/// Puts what is in a folder into a folder of a box, as `new --folder` does.
pub(crate) async fn folder_into(
    client: &Client,
    folder: &std::path::Path,
    name: &str,
    path: &str,
) -> Result<(), CliError> {
    let to = Place { name: name.to_owned(), path: path.to_owned() };
    upload::contents(client, folder, &to, true).await
}
