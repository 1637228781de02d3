//! Tests of the drivers: one conformance suite for all, and the attacks that the native one must
//! withstand.
#![cfg(target_os = "linux")]

#[cfg(test)]
mod attack;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod files;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod limit;
mod log;
#[cfg(test)]
mod names;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod places;
#[cfg(test)]
mod reduced;
#[cfg(test)]
mod unboxed;
