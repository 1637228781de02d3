//! The words, the pure rules and the ports of the house.
//!
//! What is absent: I/O, clocks, randomness, an async runtime and globals. Time and entropy are
//! arguments ([`time::Clock`], [`id::Entropy`]). One directory a noun: `mod.rs` is the type,
//! rules stand beside it, `port.rs` is what a driver must do.

mod words;

pub mod account;
pub mod activity;
pub mod audit;
pub mod config;
pub mod device;
pub mod egress;
pub mod engine;
pub mod exec;
pub mod home;
pub mod host;
pub mod id;
pub mod issue;
pub mod job;
pub mod journal;
pub mod kind;
pub mod labels;
pub mod limit;
pub mod log;
pub mod machine;
pub mod message;
pub mod model;
pub mod moves;
pub mod person;
pub mod reply;
pub mod route;
pub mod sandbox;
pub mod secret;
pub mod session;
pub mod smartbox;
pub mod snapshot;
pub mod store;
pub mod telemetry;
pub mod time;
pub mod token;
pub mod usage;

pub(crate) use words::words;

/// A boxed future: what every port's asynchronous method returns.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A boxed stream: what every port's streaming method returns.
pub type BoxStream<'a, T> = std::pin::Pin<Box<dyn futures_core::Stream<Item = T> + Send + 'a>>;
