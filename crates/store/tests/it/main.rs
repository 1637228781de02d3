//! The store's tests: one suite that every driver passes, and each driver's own dangers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod conformance;
mod faults;
mod sqlite;
mod support;

/// A write that brings a value back.
macro_rules! write {
    ($store:expr, |$tx:ident| $body:expr) => {
        smartbox_core::store::write(&*$store, move |$tx| Box::pin(async move { $body })).await
    };
}
use write;

/// A read that brings a value back.
macro_rules! read {
    ($store:expr, |$tx:ident| $body:expr) => {
        smartbox_core::store::read(&*$store, move |$tx| Box::pin(async move { $body })).await
    };
}
use read;
