//! Whether an engine that runs still answers: from the answers to its own probe to a verdict.
//!
//! The rule has a memory in both directions: it takes [`MISSES`] misses in a row to call an engine
//! dead, and [`ANSWERS`] answers in a row until one that was in doubt is out of it. Whoever probes asks
//! only while an answer can be expected: not while the box boots, thaws, sleeps or holds still.

/// Probes without an answer, one after another, until an engine counts as dead.
pub const MISSES: u32 = 4;
/// Answers, one after another, until an engine that was in doubt is well again.
pub const ANSWERS: u32 = 2;

/// What the last probes came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pulse {
    missed: u32,
    answered: u32,
    doubted: bool,
}

/// What is thought of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It answers.
    Well,
    /// It missed a probe lately: ask again soon.
    Doubt,
    /// It runs and does not answer: start it anew.
    Dead,
}

impl Pulse {
    /// Takes in one probe. `patience` multiplies the misses, for slow machines.
    pub fn beat(&mut self, answered: bool, patience: u32) -> Verdict {
        if answered {
            (self.missed, self.answered) = (0, self.answered.saturating_add(1));
            self.doubted &= self.answered < ANSWERS;
        } else {
            (self.missed, self.answered) = (self.missed.saturating_add(1), 0);
            self.doubted = true;
        }
        self.verdict(patience)
    }

    /// What is thought now.
    pub fn verdict(&self, patience: u32) -> Verdict {
        if self.missed >= MISSES.saturating_mul(patience.max(1)) {
            Verdict::Dead
        } else if self.doubted {
            Verdict::Doubt
        } else {
            Verdict::Well
        }
    }

    /// Probes missed in a row.
    pub fn missed(&self) -> u32 {
        self.missed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(beats: &[bool]) -> Verdict {
        let mut pulse = Pulse::default();
        beats.iter().map(|answered| pulse.beat(*answered, 1)).last().unwrap_or(Verdict::Well)
    }

    #[test]
    fn a_row_of_misses_is_death_and_one_answer_breaks_the_row() {
        assert_eq!(told(&[false, false, false]), Verdict::Doubt);
        assert_eq!(told(&[false, false, false, false]), Verdict::Dead);
        assert_eq!(told(&[false, false, false, true, false]), Verdict::Doubt);
        assert_eq!(told(&[false, true]), Verdict::Doubt);
        assert_eq!(told(&[false, true, true]), Verdict::Well);
    }

    #[test]
    fn a_slow_machine_gets_more_time() {
        let mut pulse = Pulse::default();
        assert!((0..11).all(|_| pulse.beat(false, 3) == Verdict::Doubt));
        assert_eq!(pulse.beat(false, 3), Verdict::Dead);
    }

    proptest! {
        #[test]
        fn dead_means_that_the_last_probes_all_missed(beats in prop::collection::vec(any::<bool>(), 0..60)) {
            let misses = beats.iter().rev().take_while(|answered| !**answered).count();
            prop_assert_eq!(told(&beats) == Verdict::Dead, misses >= MISSES as usize);
        }

        #[test]
        fn well_means_that_it_answered_last(beats in prop::collection::vec(any::<bool>(), 1..60)) {
            if told(&beats) == Verdict::Well {
                prop_assert!(beats.last() == Some(&true));
            }
        }
    }
}
