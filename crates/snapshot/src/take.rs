//! Takes a snapshot, and lists those that were taken.

use std::path::PathBuf;
use std::time::Duration;

use rustic_core::jiff::{Timestamp as Instant, tz::TimeZone};
use rustic_core::repofile::SnapshotFile;
use rustic_core::{BackupOptions, SnapshotOptions};
use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::port::{SnapshotError, TakeOrder, Taken};
use smartbox_core::snapshot::{Claim, Generation, Shelf, Snapshot};
use smartbox_core::time::Timestamp;

use crate::backend::why;
use crate::exclude::Excludes;
use crate::open::Opened;
use crate::source::{Home, Reading};

const WHAT: &str = "snapshot";

pub(crate) fn take(
    opened: Opened,
    smartbox: &SmartboxId,
    order: &TakeOrder,
) -> Result<Taken, SnapshotError> {
    let Opened { repository, gate } = opened;
    let excludes = Excludes::new(&order.exclude)?;
    let reading = Reading { now: order.at.0.div_euclid(1000), number: order.claim.generation.0 };
    let home = Home::open(&order.home.home, excludes, gate.clone(), reading)?;
    let blank = blank(smartbox, order)
        .map_err(|source| SnapshotError::Broken { doing: "describing a snapshot", source })?;
    let lift = |error| why(&gate, WHAT, error);
    let indexed = repository.to_indexed_ids().map_err(lift)?;
    let mut options = BackupOptions::default();
    // The home is the root of the tree, wherever it lies on this machine.
    options.as_path = Some(PathBuf::from("/"));
    options.no_scan = true;
    let file = indexed.archive(&options, &home, blank, &[PathBuf::new()]).map_err(lift)?;
    let snapshot = read(&file).ok_or_else(|| SnapshotError::Broken {
        doing: "reading a snapshot that was just taken",
        source: "it does not say under which claim".into(),
    })?;
    Ok(Taken {
        snapshot,
        left_out: home.left_out(),
        added: file.summary.as_ref().map_or(0, |summary| summary.data_added_packed),
        databases: 0,
        held: Duration::ZERO,
    })
}

pub(crate) fn list(opened: &Opened) -> Result<Shelf, SnapshotError> {
    let files =
        opened.repository.get_all_snapshots().map_err(|error| why(&opened.gate, WHAT, error))?;
    // What another program took is none of a box's.
    let mut found: Vec<Snapshot> = files.iter().filter_map(read).collect();
    found.sort_by(|a, b| {
        let key = |one: &Snapshot| (one.claim.generation, one.taken, one.id.clone());
        key(a).cmp(&key(b))
    });
    Ok(if found.is_empty() { Shelf::NoneYet } else { Shelf::Some(found) })
}

/// Where in a snapshot its claim stands: `restic snapshots` shows it.
const TAGS: [&str; 3] = ["generation=", "fence=", "claimed="];

fn blank(
    smartbox: &SmartboxId,
    order: &TakeOrder,
) -> Result<SnapshotFile, Box<dyn std::error::Error + Send + Sync>> {
    let Claim { generation, fence, at } = order.claim;
    let [g, f, c] = TAGS;
    let mut options = SnapshotOptions::default();
    options.host = Some(smartbox.as_str().to_owned());
    options.time = Some(Instant::from_millisecond(order.at.0)?.to_zoned(TimeZone::UTC));
    // What would otherwise be this process's arguments.
    options.command = Some("smartbox".to_owned());
    let tags = format!("{g}{},{f}{fence},{c}{}", generation.0, at.0);
    Ok(options.add_tags(&tags)?.to_snapshot()?)
}

fn read(file: &SnapshotFile) -> Option<Snapshot> {
    let tags = file.tags.to_string();
    let tag = |name: &str| tags.split(',').find_map(|tag| tag.strip_prefix(name));
    let [g, f, c] = TAGS;
    let claim = Claim {
        generation: Generation(tag(g)?.parse().ok()?),
        fence: tag(f)?.parse().ok()?,
        at: Timestamp(tag(c)?.parse().ok()?),
    };
    let summary = file.summary.as_ref();
    Some(Snapshot {
        id: file.id.to_hex().as_str().parse().ok()?,
        claim,
        taken: Timestamp(file.time.timestamp().as_millisecond()),
        files: summary.map_or(0, |summary| summary.total_files_processed),
        bytes: summary.map_or(0, |summary| summary.total_bytes_processed),
    })
}
