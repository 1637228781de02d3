//! How long to wait before the engine is started again.

use std::time::Duration;

const STEPS_MS: [u64; 8] = [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000];
const HEALTHY: Duration = Duration::from_secs(60);

/// Counts crashes in a row.
#[derive(Debug, Default)]
pub(crate) struct Backoff(usize);

impl Backoff {
    /// The wait after a run of this length. A long run forgives the crashes before it.
    pub(crate) fn after(&mut self, ran: Duration) -> Duration {
        if ran >= HEALTHY {
            self.0 = 0;
        }
        let step = STEPS_MS[self.0.min(STEPS_MS.len() - 1)];
        self.0 += 1;
        Duration::from_millis(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_half_a_minute_and_a_healthy_minute_resets_them() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..10).map(|_| backoff.after(Duration::ZERO).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
        assert_eq!(backoff.after(Duration::from_secs(60)).as_millis(), 250);
        assert_eq!(backoff.after(Duration::from_secs(59)).as_millis(), 500);
    }
}
