//! Snapshots of homes in the restic repository format, over an object store. It implements
//! [`smartbox_core::snapshot::port::Snapshots`].
//!
//! What is absent: any decision. Which number may be claimed, which snapshot is a generation and which
//! may go is decided in `core::snapshot`. Also absent: a cache on the local disk, locks (the format's
//! own are not taken by the library; claims and fences stand in for them), and every way to follow a
//! link out of a home.
//!
//! Layout beneath the store's root, for each box: `<box>/repository/…` as restic knows it, and beside it
//! `<box>/generations/<number>`, `<box>/record`, `<box>/damage/…` (notes of what was found damaged) and
//! `<box>/damaged/…` (what was moved out of the repository for that).

mod backend;
mod beside;
mod bucket;
mod changed;
mod claim;
mod damage;
mod diff;
mod driver;
mod error;
mod exclude;
mod gate;
mod gather;
mod heal;
mod hold;
mod listing;
mod look;
mod looked;
mod open;
mod pace;
mod pick;
mod progress;
mod prune;
mod read;
mod reader;
mod rested;
mod restore;
mod resume;
mod s3;
mod scratch;
mod seen;
mod session;
mod shelves;
mod shown;
mod source;
mod take;
mod takes;
mod tar;
mod trim;
mod unit;
mod verify;

pub use bucket::ForeignBucket;
pub use driver::Restic;
pub use exclude::USUAL;
pub use reader::{ARG as READER_ARG, reader_main};
pub use s3::{Bucket, Limits};
