//! Shelves, Takes over a directory: round trips, the restic program, hostile homes, and failures at each step.

#![expect(clippy::unwrap_used, reason = "helpers of one test binary")]

mod claims;
mod faults;
mod faulty;
mod heal;
mod hostile;
mod restic;
mod round;
mod shelf;
mod world;
