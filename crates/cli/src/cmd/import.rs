//! `smartbox import`.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use smartbox_api::call;
use smartbox_api::moves::{BucketImport, ImportQuery, Imported};
use tokio::sync::mpsc;

use super::cp::{Progress, pack, read};
use super::jobs::follow;
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
    #[arg(required_unless_present = "bucket")]
    source: Option<PathBuf>,
    /// The new smartbox's name; that in the archive if absent
    #[arg(long)]
    name: Option<String>,
    /// From the bucket of snapshots instead: what begins with this, like `users/1234/`
    #[arg(long, value_name = "PREFIX", conflicts_with = "source", requires = "name")]
    bucket: Option<String>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
    /// Print what was imported as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    if let Some(prefix) = &args.bucket {
        let name = args.name.clone().unwrap_or_default();
        let call = call::import_from_bucket(&BucketImport { prefix: prefix.clone(), name });
        let job = or_interrupt(client.json(call)).await?;
        return follow::to_its_end(client, &job, 0, args.json).await;
    }
    let source = args.source.as_deref().unwrap_or(Path::new("-"));
    let imported = or_interrupt(send(client, source, args)).await?;
    if args.json { out::json(&imported) } else { tell(&imported) }
}

async fn send(client: &Client, source: &Path, args: &Args) -> Result<Imported, CliError> {
    let call = call::import(&ImportQuery { name: args.name.clone() });
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
                out::note(format!("{left} links and other things that are no files were left out"))
            }
        }
    }
    Ok(sent?.1)
}

fn tell(imported: &Imported) -> Result<(), CliError> {
    let Imported { smartbox, layout, files, bytes, left_out, warnings } = imported;
    let line = format!("{}: {files} files, {}, from {layout}", smartbox.name, size::bytes(*bytes));
    out::say(out::line(&line))?;
    for text in left_out {
        out::note(out::line(&format!("left out: {text}")));
    }
    for text in warnings {
        out::note(out::line(&format!("see to it: {text}")));
    }
    out::note(format!("To start it: smartbox start {}", smartbox.name));
    Ok(())
}
