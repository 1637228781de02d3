//! Tests of the drivers against the real kernel.
#![cfg(target_os = "linux")]

mod bench;
mod first;
