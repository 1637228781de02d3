//! The words on the wire: requests, replies, problems, and where they go.
//!
//! Server and client share these types, so neither can drift. What is absent: I/O of any kind.
//! A client turns a [`call::Call`] into an HTTP request and reads the reply as the call's type.
//! Times are milliseconds since the Unix epoch, UTC.

pub mod account;
pub mod audit;
pub mod bulk;
pub mod call;
pub mod config;
pub mod dashboard;
pub mod device;
pub mod dpop;
pub mod egress;
pub mod exec;
pub mod execs;
pub mod file;
pub mod issue;
pub mod job;
pub mod kind;
pub mod link;
pub mod log;
pub mod message;
pub mod moves;
pub mod page;
pub mod paths;
pub mod person;
pub mod platform;
pub mod problem;
pub mod secret;
pub mod smartbox;
pub mod snapshot;
pub mod sse;
pub mod tier;
pub mod token;
pub mod vault;
