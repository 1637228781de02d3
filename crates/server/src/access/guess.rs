//! Codes that were guessed wrong: whoever guesses waits longer each time, and nobody else does.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use smartbox_core::time::Timestamp;

/// Wrong ones that anybody types.
const FREE: u32 = 5;
const LONGEST: Duration = Duration::from_mins(5);
/// After so long without a guess it is forgotten.
const FORGOTTEN: Duration = Duration::from_mins(15);
const REMEMBERED: usize = 10_000;

/// Who guessed how often.
#[derive(Debug, Default)]
pub struct Guesses {
    by: Mutex<HashMap<String, (u32, Timestamp)>>,
}

impl Guesses {
    /// How long somebody has to wait before the next guess.
    pub fn wait(&self, who: &str, now: Timestamp) -> Option<Duration> {
        let by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        let (wrong, last) = by.get(who)?;
        let over = wrong.checked_sub(FREE)?;
        let pause = Duration::from_secs(1_u64 << over.min(16)).min(LONGEST);
        pause.checked_sub(now.since(*last)).filter(|wait| !wait.is_zero())
    }

    /// Somebody guessed wrong.
    pub fn wrong(&self, who: &str, now: Timestamp) {
        let mut by = self.by.lock().unwrap_or_else(PoisonError::into_inner);
        if by.len() >= REMEMBERED {
            by.retain(|_, (_, last)| now.since(*last) < FORGOTTEN);
        }
        if by.len() >= REMEMBERED && !by.contains_key(who) {
            // Each of them is signed in: the one who waited longest is let off.
            if let Some(oldest) = by.iter().min_by_key(|(_, (_, at))| *at).map(|(w, _)| w.clone()) {
                by.remove(&oldest);
            }
        }
        let entry = by.entry(who.to_owned()).or_insert((0, now));
        let before = if now.since(entry.1) < FORGOTTEN { entry.0 } else { 0 };
        *entry = (before.saturating_add(1), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_takes_longer_each_time_and_nobody_elses_time() {
        let (guesses, mut now, mut waited) = (Guesses::default(), Timestamp(0), Duration::ZERO);
        for n in 0..30 {
            if let Some(wait) = guesses.wait("mallory", now) {
                assert!(n >= FREE && wait <= LONGEST);
                now = now.plus(wait);
                waited += wait;
            }
            assert_eq!(guesses.wait("mallory", now), None);
            guesses.wrong("mallory", now);
        }
        assert!(waited > Duration::from_hours(1), "{waited:?} for thirty");
        assert_eq!(guesses.wait("ann", now), None);
        let later = now.plus(FORGOTTEN);
        guesses.wrong("mallory", later);
        assert_eq!(guesses.wait("mallory", later), None);
    }
}
