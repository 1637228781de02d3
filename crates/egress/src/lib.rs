//! Everything that goes out of a sandbox but model calls.
