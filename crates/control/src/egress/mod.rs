//! What may leave boxes, and the account of what did: the book that the broker reads and writes.

mod authority;
mod bind;
mod book;
mod browser;
mod count;
mod environment;
mod presets;
mod rules;
mod serve;
mod services;
mod standins;
mod sudden;

pub use bind::Standin;
pub use book::{Book, BookParts};
pub(crate) use environment::{add_standins, add_way_out};
pub use presets::{Preset, PresetError, Presets};
pub use rules::{NewRule, Standings};
pub use services::{Service, Services};
