//! A home as it is now, to be compared with a snapshot: looked at by a reader, as when it is taken.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::sync::Mutex;

use smartbox_core::home::place::HomePlace;
use smartbox_core::snapshot::SnapshotId;
use smartbox_core::snapshot::port::SnapshotError;

use crate::error::hole;
use crate::listing::{Listing, Thing};
use crate::pick::is_kept;
use crate::reader::wire::Time;
use crate::seen::Seen;
use crate::session::{Purpose, Reader, Session};
use crate::source::lock;
use crate::unit;

/// A home, and its reader.
pub(crate) struct Looked {
    listing: Listing,
    session: Mutex<Session>,
    /// Logs, which a snapshot has within their databases.
    omitted: HashSet<usize>,
    /// Databases that are known to be as a snapshot has them, or known not to be.
    databases: HashMap<usize, bool>,
}

impl Looked {
    /// Looks at a home that is to be compared with this snapshot.
    pub(crate) fn new(
        reader: &Reader,
        place: &HomePlace,
        exclude: &[String],
        with: &SnapshotId,
    ) -> Result<Self, SnapshotError> {
        let mut session = Session::start(reader, place, exclude, Purpose::Look)?;
        let walked = session.walk(Time(i64::MIN, 0))?;
        if let Some((path, errno)) = walked.end.hole {
            return Err(hole(&path, std::io::Error::from_raw_os_error(errno)));
        }
        let seen = Seen::load(place, exclude).filter(|seen| seen.snapshot == with.as_str());
        let known = seen.map(|seen| seen.databases()).unwrap_or_default();
        let (mut omitted, mut databases) = (HashSet::new(), HashMap::new());
        for unit in unit::find(&walked.listing, Time(i64::MIN, 0), &known) {
            omitted.extend(&unit.idle);
            let kept = is_kept(&unit, &known);
            // Of one whose log is empty, the file says all.
            if kept || !unit.logs.is_empty() {
                databases.insert(unit.main, kept);
                omitted.extend(unit.logs.iter().map(|(log, _)| *log));
            }
        }
        let session = Mutex::new(session);
        Ok(Self { listing: walked.listing, session, omitted, databases })
    }

    /// What is in each directory, and in the home itself, by name.
    pub(crate) fn below(&self) -> HashMap<Option<usize>, BTreeMap<&[u8], usize>> {
        let mut below = self.listing.below();
        for names in below.values_mut() {
            names.retain(|_, index| !self.omitted.contains(index));
        }
        below
    }

    /// One of them: its kind, its mode, its size and its times.
    pub(crate) fn thing(&self, index: usize) -> Option<&Thing> {
        self.listing.things.get(index)
    }

    /// Whether a database is as the snapshot has it, where that is known without its contents. Where it
    /// is not known, the contents say.
    pub(crate) fn same(&self, index: usize) -> Option<bool> {
        self.databases.get(&index).copied()
    }

    /// Opens a regular file; nothing if it is no longer there.
    pub(crate) fn open(&self, index: usize) -> Result<Option<File>, SnapshotError> {
        let path = self.listing.path(index);
        lock(&self.session).open(&path).map(|open| open.map(|open| open.file))
    }
}
