//! The machine that boxes share: what there is of it, and what is left.

pub mod port;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The machine at one moment. Zero where it cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Machine {
    /// Processors.
    pub cpus: u32,
    /// Processes that ran or waited to run, on average over the last minute.
    pub load: f64,
    /// Memory.
    pub memory: Space,
    /// Swap.
    pub swap: Space,
    /// The disk with the data directory.
    pub disk: Space,
}

/// How much there is of something, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Space {
    /// In all.
    pub total: u64,
    /// Left for whoever asks.
    pub free: u64,
}

/// What a home holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HomeUse {
    /// Bytes in it.
    pub used: u64,
    /// Bytes that it may hold; 0 means without limit.
    pub limit: u64,
}

impl HomeUse {
    /// Whether nothing more goes in.
    pub fn is_full(self) -> bool {
        self.limit > 0 && self.used >= self.limit
    }
}

/// Whether something is nearly used up. It has a memory, so that what wavers about the line raises one
/// alarm: once low, there must be half as much again before it is not low any more.
pub fn is_low(space: Space, least: u64, was_low: bool) -> bool {
    let line = if was_low { least.saturating_add(least / 2) } else { least };
    space.total > 0 && space.free < line
}

/// Below so many free bytes the disk is nearly full: a twentieth of it, at least 512 MiB, at most 10 GiB.
pub fn least_disk(total: u64) -> u64 {
    (total / 20).clamp(512 << 20, 10 << 30).min(total / 2)
}

/// Below so many free bytes the memory is nearly used up: a twentieth of it, at most 1 GiB.
pub fn least_memory(total: u64) -> u64 {
    (total / 20).min(1 << 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wavers_about_the_line_is_low_once() {
        let space = |free| Space { total: 100, free };
        assert!(!is_low(space(10), 10, false) && is_low(space(9), 10, false));
        assert!(is_low(space(14), 10, true) && !is_low(space(15), 10, true));
        assert!(!is_low(Space::default(), 10, false), "what cannot be read is not low");
    }

    #[test]
    fn the_lines_follow_the_size() {
        assert_eq!(least_disk(100 << 30), 5 << 30);
        assert_eq!(least_disk(10 << 40), 10 << 30);
        assert_eq!(least_disk(512 << 20), 256 << 20);
        assert_eq!(least_memory(4 << 30), (4 << 30) / 20);
    }

    #[test]
    fn a_home_without_limit_is_never_full() {
        assert!(!HomeUse { used: 9, limit: 0 }.is_full());
        assert!(HomeUse { used: 9, limit: 9 }.is_full());
    }
}
