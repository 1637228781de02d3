//! What may leave boxes, and the account of what did: the book that the broker reads and writes.

mod authority;
mod book;
mod count;
mod environment;
mod presets;
mod rules;
mod serve;

pub use book::Book;
pub(crate) use environment::add_way_out;
pub use presets::{Preset, PresetError, Presets};
pub use rules::{NewRule, Standings};
