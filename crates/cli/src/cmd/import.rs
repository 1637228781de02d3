//! `smartbox import`.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use smartbox_api::call;
use smartbox_api::moves::{ImportQuery, Imported};
use tokio::sync::mpsc;

use super::cp::{Progress, pack, read};
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{out, size, stdin};

/// Makes a smartbox of an archive, or of an assistant that lived elsewhere.
///
/// SOURCE is an archive of `smartbox export` or `openclaw backup`, a `backup.tar.gz` of the original
/// platform, a folder like ~/.openclaw, or a copy of a bucket of the original. What it is, is found
/// out. The new smartbox is not started.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// An archive, a folder, or - for standard input
    source: PathBuf,
    /// The new smartbox's name; that in the archive if absent
    #[arg(long)]
    name: Option<String>,
    /// Its kind, like custom; that in the archive if absent
    #[arg(long)]
    kind: Option<String>,
    /// In which folder of it to look, like users/1234, where there are several assistants in it
    #[arg(long, value_name = "FOLDER")]
    within: Option<String>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
    /// Print what was imported as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let imported = or_interrupt(send(client, &args.source, args)).await?;
    if args.json { out::json(&imported) } else { tell(&imported) }
}

async fn send(client: &Client, source: &Path, args: &Args) -> Result<Imported, CliError> {
    let call = call::import(&ImportQuery {
        name: args.name.clone(),
        kind: args.kind.clone(),
        within: args.within.clone(),
    });
    let progress = Progress::new("importing", None, args.quiet);
    let mut packing = None;
    let pieces = if source == Path::new("-") {
        stdin::pieces()
    } else if source.is_dir() {
        let (sender, pieces) = mpsc::channel::<Bytes>(4);
        let root = source.to_owned();
        packing = Some(tokio::task::spawn_blocking(move || pack(&root, sender)));
        pieces
    } else {
        read(source)?
    };
    let sent = client.upload(&call, pieces, None, progress.counter()).await;
    if let Some(packing) = packing {
        let packed = packing.await.map_err(|e| CliError::here(e.to_string(), ""))?;
        match packed {
            // The platform said no, and says why.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => {
                return Err(CliError::here(format!("the folder could not be read: {error}"), ""));
            }
            Ok(0) => {}
            Ok(left) => {
                out::note(format!("{left} links and other things that are no files were left out"));
            }
        }
    }
    Ok(sent?.1)
}

fn tell(imported: &Imported) -> Result<(), CliError> {
    let Imported { smartbox, layout, files, bytes, messages, left_out, left_out_total, warnings } =
        imported;
    let line = format!(
        "{}: {files} files, {}, {messages} messages, from {layout}",
        smartbox.name,
        size::bytes(*bytes)
    );
    out::say(out::line(&line))?;
    for text in left_out {
        out::note(out::line(&format!("left out: {text}")));
    }
    if *left_out_total > left_out.len() as u64 {
        out::note(format!("left out in all: {left_out_total}"));
    }
    for text in warnings {
        out::note(out::line(&format!("see to it: {text}")));
    }
    out::note(format!("To start it: smartbox start {}", smartbox.name));
    Ok(())
}
