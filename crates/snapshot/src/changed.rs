//! Whether a home differs from what it was when a snapshot was taken of it: asked of the file system and
//! of the note beside the home, never of the storage.

use smartbox_core::home::place::HomePlace;
use smartbox_core::snapshot::SnapshotId;
use smartbox_core::snapshot::port::SnapshotError;

use crate::reader::wire::Time;
use crate::seen::Seen;
use crate::session::{Purpose, Reader, Session};
use crate::trim::{LARGE, trim};
use crate::unit;

/// What cannot be told is a difference.
pub(crate) fn changed(
    reader: &Reader,
    place: &HomePlace,
    exclude: &[String],
    since: &SnapshotId,
) -> bool {
    let Some(seen) = Seen::load(place, exclude) else { return true };
    let (Some(then), true) = (&seen.tree, seen.snapshot == since.as_str()) else { return true };
    digest(reader, place, exclude, &seen).map_or(true, |now| now != *then)
}

fn digest(
    reader: &Reader,
    place: &HomePlace,
    exclude: &[String],
    seen: &Seen,
) -> Result<String, SnapshotError> {
    let never = Time(i64::MAX, 0);
    let walked = Session::start(reader, place, exclude, Purpose::Look)?.walk(never)?;
    if walked.end.hole.is_some() {
        return Ok(String::new());
    }
    let units = unit::find(&walked.listing, never, &seen.databases());
    let mut idle: Vec<usize> = units.into_iter().flat_map(|unit| unit.idle).collect();
    idle.sort_unstable();
    idle.dedup();
    let digest = walked.listing.digest(&idle);
    if walked.listing.things.len() > LARGE {
        drop(walked);
        trim();
    }
    Ok(digest)
}
