//! WebSockets: opened toward the engine, then relayed frame by frame with payloads untouched, and
//! held over the box's sleep.

mod frame;
#[cfg(test)]
mod frame_tests;
mod half;
mod hold;
#[cfg(test)]
mod hold_tests;
mod open;
mod pace;
mod relay;
mod talk;

pub(crate) use open::{open, wanted};
pub(crate) use pace::Tally;
