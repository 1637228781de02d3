//! Boxes that move in and out. Out goes one archive: record, history, home, and last a manifest with the
//! digests of all that came before. In comes such an archive, or what another installation left: it is
//! put together beside no home at all, and only then becomes one.
//!
//! What is absent: how a snapshot is taken (the caller brings the stream of one), and what the known
//! layouts are ([`smartbox_core::moves`]).

mod archive;
mod config;
mod copy;
mod export;
mod fetch;
mod gather;
mod history;
mod import;
mod incoming;
mod raw;
mod seat;
mod settle;
mod together;
mod unpack;

pub use import::{Imported, LeftOut, NewImport, Source};

use smartbox_core::home::port::FileError;

use crate::error::ControlError;

/// Entries in one archive, directory or bucket.
const ENTRIES: usize = 1_000_000;
/// Directories within one another.
const DEPTH: usize = 120;
/// The longest path, which still fits behind that of a data directory.
const PATH: usize = 3_000;
/// What anything in a home counts for, however empty it is.
const LEAST: u64 = 512;

/// The machine refused while something was moved.
fn failed(doing: &'static str, error: std::io::Error) -> ControlError {
    use std::io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, InvalidData, QuotaExceeded, StorageFull,
        TimedOut, UnexpectedEof,
    };
    match error.kind() {
        StorageFull | QuotaExceeded => FileError::Full.into(),
        TimedOut => ControlError::CutOff { why: "the archive came too slowly".into() },
        UnexpectedEof | BrokenPipe | ConnectionReset | ConnectionAborted => {
            ControlError::CutOff { why: "the archive ended in the middle".into() }
        }
        InvalidData => damaged(),
        _ => FileError::Broken { doing, source: error.into() }.into(),
    }
}

fn damaged() -> ControlError {
    ControlError::Refused {
        why: "this is no archive that can be read, or a damaged one".into(),
        hint: "a tar archive is expected, by itself or compressed by gzip or zstd".into(),
    }
}

fn refused(why: impl Into<String>, hint: &str) -> ControlError {
    ControlError::Refused { why: why.into(), hint: hint.into() }
}
