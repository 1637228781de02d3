//! Asking the kernel about one connection of a network namespace: sock_diag(7). The kernel's list in
//! `/proc/<pid>/net/tcp` says the same, but to read it is a walk over every connection of the machine.

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// `SOCK_DIAG_BY_FAMILY`, as what is asked and as what is answered.
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;
/// Bytes of a header with `inet_diag_req_v2`, and where `idiag_inode` is in the answer.
const ASK: u32 = 72;
const INODE: std::ops::Range<usize> = 84..88;

/// A socket that asks within one network namespace. It keeps that alive.
pub(super) struct Diag(OwnedFd);

impl Diag {
    /// In the namespace of a process. Needs the rights of root.
    pub(super) fn within(pid: i32) -> io::Result<Self> {
        let namespace = File::open(format!("/proc/{pid}/ns/net"))?;
        // A namespace is a thread's own, and this one ends here.
        let made = std::thread::scope(|scope| {
            let make = || {
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
                Self::here()
            };
            scope.spawn(make).join()
        });
        made.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
    }

    fn here() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let protocol = Some(netlink::SOCK_DIAG);
        Ok(Self(socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, protocol)?))
    }

    /// The inode of the TCP socket with these ends; `None` if there is none, or it is held by nobody.
    pub(super) fn inode(&self, own: SocketAddr, other: SocketAddr) -> Option<u64> {
        send(&self.0, &ask(own, other), SendFlags::empty()).ok()?;
        let mut answer = [0_u8; 512];
        // The kernel has answered by then.
        let (got, _) = recv(&self.0, &mut answer[..], RecvFlags::DONTWAIT).ok()?;
        let kind = u16::from_ne_bytes(answer.get(4..6)?.try_into().ok()?);
        let inode = u32::from_ne_bytes(answer[..got].get(INODE)?.try_into().ok()?);
        (kind == BY_FAMILY && inode != 0).then_some(u64::from(inode))
    }
}

fn ask(own: SocketAddr, other: SocketAddr) -> Vec<u8> {
    let family = if own.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let mut ask = Vec::with_capacity(ASK as usize);
    ask.extend(ASK.to_ne_bytes());
    ask.extend(BY_FAMILY.to_ne_bytes());
    ask.extend(REQUEST.to_ne_bytes());
    // Sequence and port: there is one answer, and it is read before the next question.
    ask.extend([0; 8]);
    ask.extend([family.as_raw().to_le_bytes()[0], 6, 0, 0]);
    ask.extend(u32::MAX.to_ne_bytes());
    ask.extend(own.port().to_be_bytes());
    ask.extend(other.port().to_be_bytes());
    ask.extend(address(own.ip()));
    ask.extend(address(other.ip()));
    // Any interface, any cookie.
    ask.extend([0; 4]);
    ask.extend([0xff; 8]);
    ask
}

fn address(ip: IpAddr) -> [u8; 16] {
    let mut bytes = [0; 16];
    match ip {
        IpAddr::V4(ip) => bytes[..4].copy_from_slice(&ip.octets()),
        IpAddr::V6(ip) => bytes = ip.octets(),
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn a_connection_has_the_inode_that_its_descriptor_has() {
        let Ok(diag) = Diag::here() else { return };
        for bound in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(bound) else { continue };
            let other = listener.local_addr().unwrap();
            let stream = TcpStream::connect(other).unwrap();
            let own = stream.local_addr().unwrap();
            let file = File::from(OwnedFd::from(stream));
            assert_eq!(diag.inode(own, other), Some(file.metadata().unwrap().ino()), "{bound}");
            // What is closed is nobody's.
            drop(file);
            assert_eq!(diag.inode(own, other), None);
        }
    }
}
