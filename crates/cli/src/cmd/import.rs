//! `smartbox import`.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use smartbox_api::call;
use smartbox_api::moves::{BucketImport, BucketKey, ImportQuery, Imported};
use tokio::sync::mpsc;

use super::cp::{Progress, pack, read};
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{out, size, stdin};

/// A bucket may be large and far away: the platform answers when everything is there.
const LONG: Duration = Duration::from_hours(24);
/// What the address of a bucket begins with.
const S3: &str = "s3://";

/// Makes a smartbox of an archive, or of an assistant that lived elsewhere.
///
/// SOURCE is an archive of `smartbox export` or `openclaw backup`, a `backup.tar.gz` of the original
/// platform, a folder like ~/.openclaw, a copy of a bucket of the original, or that bucket itself, which
/// an operator names as s3://BUCKET/PREFIX. What it is, is found out. The new smartbox is not started.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// An archive, a folder, - for standard input, or s3://BUCKET/PREFIX
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
    /// Of a bucket: the server's address, like `https://ACCOUNT.r2.cloudflarestorage.com`; that of the
    /// platform's own snapshots if absent
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Of a bucket: its region; that of the platform's own snapshots if absent
    #[arg(long)]
    region: Option<String>,
    /// Of a bucket: the name of the key that opens it, as R2_ACCESS_KEY_ID is; the platform's own if absent
    #[arg(long, value_name = "ID", requires = "key")]
    key_id: Option<String>,
    /// Of a bucket: the secret (`smartbox secret set`) that holds that key
    #[arg(long, value_name = "SECRET", requires = "key_id")]
    key: Option<String>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
    /// Print what was imported as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let bucket = args.source.to_str().and_then(|source| source.strip_prefix(S3));
    let imported = match bucket {
        Some(place) => or_interrupt(from_bucket(client, place, args)).await?,
        None => {
            of_buckets(args)?;
            or_interrupt(send(client, &args.source, args)).await?
        }
    };
    if args.json { out::json(&imported) } else { tell(&imported) }
}

/// What only a bucket has.
fn of_buckets(args: &Args) -> Result<(), CliError> {
    let given = [("--endpoint", &args.endpoint), ("--region", &args.region), ("--key", &args.key)];
    match given.iter().find(|(_, value)| value.is_some()) {
        None => Ok(()),
        Some((name, _)) => Err(CliError::usage(
            format!("{name} is for a bucket"),
            "name one as s3://BUCKET/PREFIX, or leave it out",
        )),
    }
}

async fn from_bucket(client: &Client, place: &str, args: &Args) -> Result<Imported, CliError> {
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let keys = args.key_id.clone().zip(args.key.clone());
    let from = BucketImport {
        bucket: bucket.to_owned(),
        prefix: (!prefix.is_empty()).then(|| prefix.to_owned()),
        endpoint: args.endpoint.clone(),
        region: args.region.clone(),
        key: keys.map(|(id, secret)| BucketKey { id, secret }),
        name: args.name.clone(),
        kind: args.kind.clone(),
        within: args.within.clone(),
    };
    client.json_within(call::import_bucket(&from), LONG).await
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
