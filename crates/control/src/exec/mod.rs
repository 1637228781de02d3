//! Commands inside a smartbox: begun and carried live, or run to their end with what they said.

mod begin;
mod check;
mod given;
mod run;
mod submit;

pub use begin::Running;
pub(crate) use given::{Given, Waiting};
pub use run::{Caps, Captured, End, Kept, LONGEST};
