//! Commands inside a smartbox: begun and carried live, or run to their end with what they said.

mod begin;
mod check;
mod run;

pub use begin::Running;
pub use run::{Caps, Captured, End, Kept, LONGEST};
