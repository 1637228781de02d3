//! What commands that wait for their turn were given: variables and standard input, which may be
//! secret and are written nowhere.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use smartbox_core::id::ExecId;

/// Bytes of all that wait, on this platform.
const MOST: usize = 64 << 20;

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
    given: HashMap<ExecId, Given>,
}

impl Waiting {
    /// Holds it until it is taken. Says whether there was room.
    pub(crate) fn hold(&self, id: ExecId, given: Given) -> bool {
        let mut held = self.lock();
        let bytes = given.bytes();
        if held.bytes + bytes > MOST {
            return false;
        }
        held.bytes += bytes;
        held.given.insert(id, given);
        true
    }

    /// Hands it over; none if another process took it in.
    pub(crate) fn take(&self, id: &ExecId) -> Option<Given> {
        let mut held = self.lock();
        let given = held.given.remove(id)?;
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
        assert!(waiting.hold(id(1), given()) && waiting.hold(id(2), given()));
        assert!(!waiting.hold(id(3), Given { stdin: "x".into(), ..Given::default() }));
        assert!(waiting.take(&id(1)).is_some() && waiting.take(&id(1)).is_none());
        assert!(waiting.hold(id(3), given()));
    }
}
