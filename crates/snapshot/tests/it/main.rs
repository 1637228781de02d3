//! Shelves, Takes over a directory: round trips, the restic program, hostile homes, and failures at each step.

#![expect(clippy::unwrap_used, reason = "helpers of one test binary")]

mod boxes;
mod bucket;
mod claims;
mod compared;
mod databases;
mod faults;
mod faulty;
mod front;
mod full;
mod heal;
mod hostile;
mod killed;
mod load;
mod locked;
mod moment;
mod moto;
mod readback;
mod restic;
mod round;
mod s3;
mod seen;
mod shelf;
mod stages;
mod walls;
mod world;
