//! Folders as tar streams: regular files and directories, nothing else, bounded on both ways.
//!
//! The heads are the `tar` crate's; the bytes between them flow through untouched.

mod pack;
mod parse;
mod unpack;

pub use unpack::{Arriving, Unpacked};

/// Entries in one archive.
const ENTRIES: u64 = 200_000;
/// Directories within one another.
const DEPTH: usize = 64;
/// The size of a head, and what bodies are padded to.
const BLOCK: usize = 512;

/// Bytes that follow a body of this length.
fn padding(len: u64) -> usize {
    let over = usize::try_from(len % BLOCK as u64).unwrap_or(0);
    (BLOCK - over) % BLOCK
}
