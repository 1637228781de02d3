//! What a person sees and types: lines, tables, progress, questions, the terminal.
//!
//! Results go to standard output, everything about getting them to standard error. Colour only
//! where a terminal shows it and NO_COLOR is not set.

pub(crate) mod age;
pub(crate) mod ask;
pub(crate) mod count;
pub(crate) mod interrupt;
pub(crate) mod out;
pub(crate) mod phase;
pub(crate) mod qr;
pub(crate) mod size;
pub(crate) mod stdin;
pub(crate) mod table;
pub(crate) mod term;
pub(crate) mod watch;
