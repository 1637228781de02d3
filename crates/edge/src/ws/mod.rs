//! WebSockets: opened toward the engine, then relayed frame by frame with payloads untouched, and
//! held over the box's sleep.

mod frame;
mod half;
mod hold;
mod open;
mod relay;
mod talk;

pub(crate) use open::{open, wanted};
