//! Boxes by host label, remembered between requests: a page asks for dozens of files at once, and the
//! database need not be asked for each. Nobody has to say what changed: a row holds until the next commit
//! of any record, and for a second at the most, should another process write to the same file.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smartbox_core::smartbox::Smartbox;
use tokio::time::Instant;

/// How long a row holds without a commit of ours.
const HOLDS: Duration = Duration::from_secs(1);
/// Rows remembered at the most.
const REMEMBERED: usize = 10_000;

struct Known {
    row: Arc<Smartbox>,
    version: u64,
    until: Instant,
}

/// What is remembered. Labels that are no box's are not: anybody can ask for those.
#[derive(Default)]
pub(crate) struct Routes(Mutex<HashMap<String, Known>>);

impl Routes {
    /// The row with this label, if it still holds at this version of the records.
    pub(crate) fn find(&self, label: &str, version: u64) -> Option<Arc<Smartbox>> {
        let known = self.lock();
        let known = known.get(label)?;
        (known.version == version && Instant::now() < known.until).then(|| known.row.clone())
    }

    /// Remembers what was read after the records had this version.
    pub(crate) fn learn(&self, label: &str, version: u64, row: Option<&Arc<Smartbox>>) {
        let mut known = self.lock();
        let Some(row) = row else {
            known.remove(label);
            return;
        };
        if known.len() >= REMEMBERED {
            known.clear();
        }
        let until = Instant::now() + HOLDS;
        known.insert(label.to_owned(), Known { row: row.clone(), version, until });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
