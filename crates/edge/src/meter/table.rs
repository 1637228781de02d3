//! A map with a bound. When it is full of what must be remembered, newcomers share one place: the
//! many who flood count as one, and those who were there before keep their own.

use std::collections::HashMap;
use std::hash::Hash;

/// Nanoseconds between two sweeps of a full table: looking through all of it for each newcomer would
/// be a flood's work for it.
const SWEEP: u64 = 500_000_000;

pub(super) struct Table<K, V> {
    room: usize,
    of: HashMap<K, V>,
    shared: V,
    swept: Option<u64>,
}

impl<K: Hash + Eq, V: Default> Table<K, V> {
    pub(super) fn new(room: usize) -> Self {
        Self { room, of: HashMap::new(), shared: V::default(), swept: None }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        self.of.get(key)
    }

    /// What is remembered of a key; what `over` says may be forgotten.
    pub(super) fn entry(&mut self, key: K, now: u64, over: impl Fn(&V) -> bool) -> &mut V {
        if !self.of.contains_key(&key) && self.of.len() >= self.room {
            if self.swept.is_none_or(|at| now.saturating_sub(at) >= SWEEP) {
                self.swept = Some(now);
                self.of.retain(|_, value| !over(value));
                self.of.shrink_to(self.room / 4);
            }
            if self.of.len() >= self.room {
                return &mut self.shared;
            }
        }
        self.of.entry(key).or_default()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }
}
