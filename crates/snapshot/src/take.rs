//! Takes a snapshot, and lists those that were taken.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustic_core::jiff::{Timestamp as Instant, tz::TimeZone};
use rustic_core::repofile::SnapshotFile;
use rustic_core::{BackupOptions, SnapshotOptions};
use smartbox_core::id::SmartboxId;
use smartbox_core::snapshot::port::{SnapshotError, TakeOrder, Taken};
use smartbox_core::snapshot::{Claim, Generation, Shelf, Snapshot, SnapshotId};
use smartbox_core::time::Timestamp;
use tokio::runtime::Handle;

use crate::backend::why;
use crate::exclude::Excludes;
use crate::gather::{Gathered, Wish, gather};
use crate::open::Opened;
use crate::scratch::Scratch;
use crate::seen::Seen;
use crate::session::Reader;
use crate::source::{Again, Home, lock};
use crate::trim::trim;

const WHAT: &str = "snapshot";

/// One try to take a snapshot.
pub(crate) struct Try<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) runtime: &'a Handle,
    pub(crate) order: &'a TakeOrder,
    /// The snapshot before, if there is one that can be trusted.
    pub(crate) parent: Option<&'a str>,
    /// What came of those before.
    pub(crate) again: Arc<Mutex<Again>>,
    /// Whether there will be no further one.
    pub(crate) last: bool,
}

pub(crate) fn take(
    opened: Opened,
    smartbox: &SmartboxId,
    this: &Try<'_>,
) -> Result<Taken, SnapshotError> {
    let Opened { repository, gate } = opened;
    let Try { order, again, .. } = this;
    // What is left out is compiled by the reader, which cannot say as well what is wrong with it.
    Excludes::new(&order.exclude)?;
    let blank = blank(smartbox, order)
        .map_err(|source| SnapshotError::Broken { doing: "describing a snapshot", source })?;
    let marked = {
        let again = lock(again);
        let asked = if this.last { again.asked.clone() } else { HashSet::new() };
        again.marked.union(&asked).copied().collect()
    };
    let seen = Seen::load(&order.home, &order.exclude).filter(|seen| {
        let there = |id| repository.get_snapshot_from_str(id, |_| true).is_ok();
        this.parent.is_some() && !lock(again).lost && beginning(&seen.snapshot).is_some_and(there)
    });
    let lift = |error| why(&gate, WHAT, error);
    let indexed = repository.to_indexed_ids().map_err(lift)?;
    // Reading the index takes several times what it comes to.
    trim();
    let _scratch = Scratch::new(&order.home)?;
    let (reader, runtime, last) = (this.reader, this.runtime, this.last);
    let wish = Wish { reader, order, seen: seen.as_ref(), marked: &marked, last, runtime };
    let Gathered { contained, left_out, held, rested, tree, clock, databases } = gather(&wish)?;
    let mut options = BackupOptions::default();
    // The home is the root of the tree, wherever it lies on this machine.
    options.as_path = Some(PathBuf::from("/"));
    options.no_scan = true;
    // What was noted is told by the snapshot that it was noted with.
    let parent = seen.as_ref().and_then(|seen| beginning(&seen.snapshot)).or(this.parent);
    options.parent_opts.parents = parent.map(str::to_owned).into_iter().collect();
    options.parent_opts.force = parent.is_none();
    let home = Home::new(contained, gate.clone(), again.clone(), order.meter.clone());
    let file = indexed.archive(&options, &home, blank, &[PathBuf::new()]).map_err(lift)?;
    let snapshot = read(&file).ok_or_else(|| SnapshotError::Broken {
        doing: "reading a snapshot that was just taken",
        source: "it does not say under which claim".into(),
    })?;
    if gate.is_open() {
        let id = snapshot.id.as_str().to_owned();
        let seen = Seen::new(id, &order.exclude, tree, clock, &databases);
        // Without it the next one reads everything.
        let _ = seen.keep(&order.home);
    }
    let added = file.summary.as_ref().map_or(0, |summary| summary.data_added_packed);
    Ok(Taken { snapshot, left_out, added, databases: rested, held })
}

/// The beginning of an id, of which the library looks for the rest. A whole one it reads at once, and that
/// an object is missing is a failure of the storage.
fn beginning(id: &str) -> Option<&str> {
    id.parse::<SnapshotId>().ok().and_then(|_| id.get(..id.len() - 1))
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
