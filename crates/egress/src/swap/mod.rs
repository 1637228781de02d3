//! Puts real values in the place of placeholders, where they may stand, and nowhere else.
//!
//! 1. [`Swap::plan`] looks at a whole request head. A placeholder in any place that is not bound for
//!    this host, port, method and path, in whatever form, is a [`Refusal`] that says where it may
//!    stand. No value is needed for that, so none is released for a request that is refused.
//! 2. [`Plan::secrets`] names what to ask the vault for.
//! 3. [`Plan::fill`] puts the values in. From then on the head is not for logs.
//! 4. [`Swap::watch`] reads along in the body, which is no place for a placeholder yet: the request is
//!    cut off before its end when one comes.
//!
//! Nothing is followed here: a redirect goes back to the box, whose next request is judged anew.
//! A host, a port and TLS are those of the connection itself ([`Towards`]), never what a head claims;
//! a head that claims another host gets no value.
//!
//! Seams: values in bodies and signed requests are further variants of [`Place`] and of what a plan
//! puts in; both need the body, so they come after the head was planned. ssh is no HTTP and will have
//! a door of its own.
//!
//! [`Place`]: smartbox_core::egress::Place

mod fill;
mod header;
mod plan;
mod refusal;
mod target;
mod value;
mod watch;

pub use plan::{Plan, Swap, Towards};
pub use refusal::{Refusal, Spot};
pub(crate) use value::flaw;
pub use watch::Watch;
