//! The listeners that the platform serves: bound at the start, before anything of the box runs, and
//! open for init's life, so that connections wait in the kernel while the platform is away.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use rustix::net::sockopt::{set_ipv6_v6only, set_socket_reuseaddr};
use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind as bind_socket, listen, socket_with,
};

use crate::boot::Fault;

const BACKLOG: i32 = 1024;

/// Listening sockets by port.
pub(crate) struct Listeners {
    v4: BTreeMap<u16, OwnedFd>,
    v6: Mutex<BTreeMap<u16, OwnedFd>>,
}

/// Binds every port on 127.0.0.1, bringing the loopback up where that is init's to do.
pub(crate) fn bind(ports: &[u16]) -> Result<Listeners, Fault> {
    let _ = raise_loopback();
    let mut v4 = BTreeMap::new();
    for &port in ports {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        v4.insert(port, socket(address).map_err(|e| Fault::Listener(port, e))?);
    }
    Ok(Listeners { v4, v6: Mutex::default() })
}

impl Listeners {
    /// Adds one that somebody else bound.
    pub(crate) fn add(&mut self, port: u16, listener: OwnedFd) {
        self.v4.insert(port, listener);
    }

    /// A duplicate of a port's socket on 127.0.0.1; `None` if the port is not one of them.
    pub(crate) fn v4(&self, port: u16) -> Option<io::Result<OwnedFd>> {
        self.v4.get(&port).map(OwnedFd::try_clone)
    }

    /// The same on `[::1]`, bound now if it was not before.
    pub(crate) fn v6(&self, port: u16) -> Option<io::Result<OwnedFd>> {
        self.v4.get(&port)?;
        let mut bound = self.v6.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = bound.get(&port) {
            return Some(known.try_clone());
        }
        let made = socket(SocketAddr::from((Ipv6Addr::LOCALHOST, port)));
        Some(made.and_then(|made| {
            let copy = made.try_clone();
            bound.insert(port, made);
            copy
        }))
    }
}

fn socket(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(family, SocketType::STREAM, flags, None)?;
    // So that an init which follows another at once is not refused for connections in TIME_WAIT.
    set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        set_ipv6_v6only(&socket, true)?;
    }
    bind_socket(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// Sets `lo` up; without the right to, the platform's helper has done it.
#[expect(unsafe_code, reason = "interface flags are set by ioctl alone")]
fn raise_loopback() -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, flags, None)?;
    // SAFETY: `ifreq` is plain data for which zeroes are valid; both calls get a pointer to it that
    // lives across them, and the kernel fills in the flags that are read.
    unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(c"lo".to_bytes_with_nul()) {
            *to = from.cast_signed();
        }
        let fd = socket.as_raw_fd();
        if libc::ioctl(fd, libc::SIOCGIFFLAGS, &raw mut request) != 0 {
            return Err(io::Error::last_os_error());
        }
        let up = libc::c_short::try_from(libc::IFF_UP).unwrap_or(1);
        if request.ifr_ifru.ifru_flags & up == 0 {
            request.ifr_ifru.ifru_flags |= up;
            if libc::ioctl(fd, libc::SIOCSIFFLAGS, &raw const request) != 0 {
                return Err(io::Error::last_os_error());
            }
        }
    }
    Ok(())
}
