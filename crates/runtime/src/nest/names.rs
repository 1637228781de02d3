//! The sockets of a box's name service. Its port is one that the box's user may not bind, so that they
//! are made here and carried to init.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use smartbox_core::sandbox::DNS_PORT;

use super::fault::Doing;
use super::spec::Fault;

/// Connections that wait for the platform.
const BACKLOG: i32 = 1024;

/// A listening TCP socket and one for datagrams, in the present network namespace, whose loopback is up.
pub(super) fn bind() -> Result<[OwnedFd; 2], Fault> {
    let listener = socket(SocketType::STREAM)?;
    rustix::net::listen(&listener, BACKLOG).doing("listening for name questions")?;
    Ok([listener, socket(SocketType::DGRAM)?])
}

fn socket(kind: SocketType) -> Result<OwnedFd, Fault> {
    let made = rustix::net::socket_with(AddressFamily::INET, kind, SocketFlags::CLOEXEC, None)
        .doing("making a socket")?;
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, DNS_PORT));
    rustix::net::bind(&made, &at).doing("binding the port of the name service")?;
    Ok(made)
}
