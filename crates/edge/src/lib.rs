//! Requests in: from a box's own origin to the engine inside it.
//!
//! The edge decides which box a host name means, who asks, whether the box must wake for it, and
//! then relays: HTTP without buffering, WebSockets frame by frame with payloads untouched. The few
//! paths below [`door::PREFIX`] belong to the platform; everything else on a box's host is the
//! engine's, and nothing of the platform's API is reachable there.
//!
//! What is absent: listeners and TLS (the server's), sessions and tickets (behind [`Admit`]), and
//! any knowledge of how a box is started (behind `core::route::port::Resolve`).

pub mod admit;
pub mod asked;
pub mod body;
pub mod client;
pub mod connection;
pub mod crowd;
pub mod door;
pub mod edge;
pub mod meter;
pub mod settings;

mod cookie;
mod host;
mod known;
mod page;
mod problem;
mod proxy;
mod wake;
mod ws;

pub use admit::{Admit, Person};
pub use asked::Asked;
pub use body::EdgeBody;
pub use client::Peer;
pub use connection::ServedBody;
pub use crowd::{Crowd, Seat};
pub use edge::{Edge, EdgeParts};
pub use meter::MemoryMeter;
pub use settings::{EdgeSettings, EngineWords, Identity, Limits, QuietPath, Scheme};
