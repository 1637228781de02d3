//! The edge over real sockets, in front of a pretend box.

mod http;
#[cfg(test)]
mod socket;
#[cfg(test)]
mod support;
