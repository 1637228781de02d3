//! Samples and what is said of them.

use std::fmt;
use std::time::Duration;

/// Times of one thing done again and again.
#[derive(Default)]
pub struct Samples {
    times: Vec<f64>,
    note: String,
}

impl Samples {
    /// Takes one in.
    pub fn push(&mut self, time: Duration) {
        self.times.push(time.as_secs_f64() * 1000.0);
        self.times.sort_unstable_by(f64::total_cmp);
    }

    /// Says something beside the times.
    pub fn note(&mut self, note: String) {
        self.note = note;
    }

    /// The median, in milliseconds.
    pub fn median(&self) -> f64 {
        self.at(0.5)
    }

    fn at(&self, share: f64) -> f64 {
        let last = self.times.len().saturating_sub(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index of a small list"
        )]
        let index = (last as f64 * share).round() as usize;
        self.times.get(index).copied().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, p50, p99, max) = (self.times.len(), self.median(), self.at(0.99), self.at(1.0));
        write!(f, "p50 {p50:.1} ms, p99 {p99:.1} ms, max {max:.1} ms (n = {n})")?;
        if self.note.is_empty() { Ok(()) } else { write!(f, "; {}", self.note) }
    }
}
