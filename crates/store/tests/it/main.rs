//! The store's tests: one suite that every driver passes, and each driver's own dangers.

mod conformance;
mod support;
