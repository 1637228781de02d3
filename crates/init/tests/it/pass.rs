//! Dialling and listeners: descriptors that leave the box.

use std::io::{Read, Write};
use std::mem::MaybeUninit;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;

use rustix::io::IoSliceMut;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use smartbox_link::pass::{self, Ask};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::house::{FENCE, House, Plan, SOON, order};

pub(crate) async fn ask(house: &House, ask: Ask, fence: u64) -> (u8, Option<OwnedFd>) {
    let mut stream = UnixStream::connect(house.dir.path().join("pass")).await.unwrap();
    stream.write_all(&ask.encode(fence)).await.unwrap();
    let receive = stream.async_io(Interest::READABLE, || {
        let mut byte = [255];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC;
        let got = recvmsg(&stream, &mut [IoSliceMut::new(&mut byte)], &mut control, flags)?;
        assert_eq!(got.bytes, 1);
        let mut fds: Vec<OwnedFd> = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                fds.extend(rights);
            }
        }
        assert!(fds.len() <= 1);
        Ok((byte[0], fds.pop()))
    });
    timeout(SOON, receive).await.unwrap().unwrap()
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_port_is_dialled_and_the_connection_handed_over() {
    let house = House::new();
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(server) = TcpListener::bind(address) else { continue };
        let port = server.local_addr().unwrap().port();
        let (byte, fd) = ask(&house, Ask::Dial(port), FENCE).await;
        assert_eq!(byte, pass::OK);
        let mut stream = TcpStream::from(fd.unwrap());
        stream.set_nonblocking(false).unwrap();
        let (mut peer, _) = server.accept().unwrap();
        peer.write_all(b"hello").unwrap();
        let mut got = [0; 5];
        stream.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"hello");
    }
    let (byte, fd) = ask(&house, Ask::Dial(free_port()), FENCE).await;
    assert_eq!((byte, fd.is_none()), (pass::REFUSED, true));
}

#[tokio::test]
async fn a_listener_takes_connections_before_anyone_serves_it() {
    let port = free_port();
    let house = House::build(Plan { listeners: vec![port], ..Plan::default() });
    let link = house.link().await;
    link.engine_start(&order("exec sleep 1000")).await.unwrap();
    let mut early = TcpStream::connect(("127.0.0.1", port)).unwrap();
    early.write_all(b"early").unwrap();
    for kind in [Ask::Listener(port), Ask::Listener(port), Ask::Listener6(port)] {
        let (byte, fd) = ask(&house, kind, FENCE).await;
        if kind == Ask::Listener6(port) && byte == pass::REFUSED {
            continue;
        }
        assert_eq!(byte, pass::OK);
        let listener = TcpListener::from(fd.unwrap());
        assert_eq!(listener.local_addr().unwrap().port(), port);
        assert_eq!(listener.local_addr().unwrap().is_ipv6(), kind == Ask::Listener6(port));
    }
    let (_, fd) = ask(&house, Ask::Listener(port), FENCE).await;
    let listener = TcpListener::from(fd.unwrap());
    listener.set_nonblocking(false).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    let mut got = [0; 5];
    peer.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"early");
    let (byte, _) = ask(&house, Ask::Listener(port.wrapping_add(1)), FENCE).await;
    assert_eq!(byte, pass::BAD);
}

#[tokio::test]
async fn an_older_owner_is_shut_out_on_both_doors() {
    let house = House::new();
    assert_eq!(ask(&house, Ask::Dial(1), FENCE - 1).await.0, pass::FENCED);
    assert_eq!(ask(&house, Ask::Dial(1), FENCE + 5).await.0, pass::REFUSED);
    assert_eq!(ask(&house, Ask::Dial(1), FENCE).await.0, pass::FENCED);
    let old = house.link_as(FENCE).await.status().await;
    assert!(matches!(old, Err(smartbox_link::LinkError::Fenced)));
    let status = house.link_as(FENCE + 5).await.status().await.unwrap();
    assert_eq!(status.fence, FENCE, "what it was made with");
}

#[tokio::test]
async fn nonsense_and_slowness_hurt_nobody_else() {
    let house = House::new();
    let path = house.dir.path().join("pass");
    let mut slow = Vec::new();
    for _ in 0..32 {
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(b"d").await.unwrap();
        slow.push(stream);
    }
    let mut state = 88_172_645_463_325_252_u64;
    for _ in 0..200 {
        let mut request = [0_u8; pass::LEN];
        for byte in &mut request {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state as u8;
        }
        // A high fence would shut the test out.
        request[3] = 0;
        request[4..].fill(0);
        let mut stream = UnixStream::connect(&path).await.unwrap();
        stream.write_all(&request).await.unwrap();
        let answer = timeout(SOON, stream.read_u8()).await.unwrap().unwrap();
        assert!(answer == pass::BAD || answer == pass::FENCED, "{answer}");
    }
    let (byte, _) = ask(&house, Ask::Dial(1), FENCE).await;
    assert_eq!(byte, pass::REFUSED);
}
