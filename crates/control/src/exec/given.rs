//! What commands that wait for their turn were given: variables and standard input, which may be
//! secret and are written nowhere.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use smartbox_core::id::ExecId;
use tokio::time::Instant;

/// Bytes of all that wait, on this platform.
const MOST: usize = 64 << 20;
/// How long a job may take to be written down after what it is given is held.
const FRESH: Duration = Duration::from_mins(1);

/// What one command was given.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) stdin: Bytes,
}

impl Given {
    pub(crate) fn is_nothing(&self) -> bool {
        self.env.is_empty() && self.stdin.is_empty()
    }

    fn bytes(&self) -> usize {
        let env: usize = self.env.iter().map(|(name, value)| name.len() + value.len()).sum();
        env + self.stdin.len()
    }
}

/// All that wait.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<Held>);

#[derive(Default)]
struct Held {
    bytes: usize,
    given: HashMap<ExecId, (Given, Instant)>,
}

impl Waiting {
    /// Holds it until it is taken; given back if there is no room.
    pub(crate) fn hold(&self, id: &ExecId, given: Given) -> Result<(), Given> {
        let mut held = self.lock();
        let bytes = given.bytes();
        if held.bytes + bytes > MOST {
            return Err(given);
        }
        held.bytes += bytes;
        held.given.insert(id.clone(), (given, Instant::now()));
        Ok(())
    }

    /// Drops what no job waits for any more: one that waits can end in ways that nobody tells here.
    pub(crate) fn keep_only(&self, awaited: &HashSet<ExecId>) {
        let mut held = self.lock();
        held.given.retain(|id, (_, since)| awaited.contains(id) || since.elapsed() < FRESH);
        held.bytes = held.given.values().map(|(given, _)| given.bytes()).sum();
    }

    /// Hands it over; none if another process took it in.
    pub(crate) fn take(&self, id: &ExecId) -> Option<Given> {
        let mut held = self.lock();
        let (given, _) = held.given.remove(id)?;
        held.bytes -= given.bytes();
        Some(given)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_handed_over_once() {
        let waiting = Waiting::default();
        let id = |n: u32| format!("exe_{n:020}").parse::<ExecId>().unwrap();
        let given = || Given { env: BTreeMap::new(), stdin: vec![0; MOST / 2].into() };
        assert!(waiting.hold(&id(1), given()).is_ok() && waiting.hold(&id(2), given()).is_ok());
        assert!(waiting.hold(&id(3), Given { stdin: "x".into(), ..Given::default() }).is_err());
        assert!(waiting.take(&id(1)).is_some() && waiting.take(&id(1)).is_none());
        assert!(waiting.hold(&id(3), given()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_waits_for_any_more_makes_room() {
        let waiting = Waiting::default();
        let id = |n: u32| format!("exe_{n:020}").parse::<ExecId>().unwrap();
        let given = || Given { env: BTreeMap::new(), stdin: vec![0; MOST / 2].into() };
        assert!(waiting.hold(&id(1), given()).is_ok() && waiting.hold(&id(2), given()).is_ok());
        waiting.keep_only(&HashSet::from([id(1)]));
        assert!(waiting.hold(&id(3), given()).is_err(), "its job may just be being written");
        tokio::time::advance(FRESH).await;
        waiting.keep_only(&HashSet::from([id(1)]));
        assert!(waiting.take(&id(2)).is_none());
        assert!(waiting.hold(&id(3), given()).is_ok());
        assert!(waiting.take(&id(1)).is_some());
    }
}
