//! How fast a box is answered. A question costs it nothing to ask; what asks without end has to wait, and
//! the processor is the others', too.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use smartbox_core::id::SmartboxId;
use tokio::time::Instant;

/// Between two questions, in the long run: a thousand in a second.
const EACH: Duration = Duration::from_millis(1);
/// How far ahead of that a box may be: a program that starts asks for many names at once.
const AHEAD: Duration = Duration::from_secs(2);
/// Boxes that are remembered before those are forgotten that have kept the pace.
const MANY: usize = 1_024;

/// By box: until when its questions so far would have taken at that pace.
#[derive(Default)]
pub(crate) struct Pace(Mutex<HashMap<SmartboxId, Instant>>);

impl Pace {
    /// Waits until the box may ask one question more.
    pub(super) async fn keep(&self, id: &SmartboxId) {
        let wait = self.take(id, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    fn take(&self, id: &SmartboxId, now: Instant) -> Duration {
        let mut boxes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if boxes.len() > MANY {
            boxes.retain(|_, until| *until > now);
        }
        let until = boxes.entry(id.clone()).or_insert(now);
        *until = (*until).max(now) + EACH;
        until.saturating_duration_since(now + AHEAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> SmartboxId {
        format!("box_{n:020}").parse().unwrap()
    }

    #[test]
    fn who_asks_without_end_waits_and_nobody_else_does() {
        let (pace, now) = (Pace::default(), Instant::now());
        let waits: Vec<Duration> = (0..5_000).map(|_| pace.take(&id(1), now)).collect();
        assert!(waits[..2_000].iter().all(Duration::is_zero));
        assert_eq!(waits[2_000..2_003], [1, 2, 3].map(Duration::from_millis));
        assert_eq!(waits[4_999], Duration::from_secs(3));
        assert!(pace.take(&id(2), now).is_zero());
        assert!(pace.take(&id(1), now + Duration::from_secs(4)).is_zero(), "it has made up for it");
    }

    #[test]
    fn boxes_that_are_gone_are_forgotten() {
        let (pace, now) = (Pace::default(), Instant::now());
        for n in 0..3_000 {
            pace.take(&id(n), now + EACH * n);
        }
        assert!(pace.0.lock().unwrap().len() <= MANY + 1);
    }
}
