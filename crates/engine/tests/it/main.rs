//! The engine room from outside: real processes.

mod conformance;
mod install;
mod puppet;
