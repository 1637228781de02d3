//! Messages: accepted as a row, delivered to the engine, answered; once, whatever is killed when.

pub(crate) mod accept;
pub(crate) mod deliver;
mod follow;
mod history;
mod list;
pub(crate) mod live;
