//! The name service: datagrams become connections, which wait for the platform.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;

use smartbox_link::pass::{self, Ask};

use crate::house::{FENCE, House, Plan, SOON};
use crate::pass::ask;

/// An init with a name service, and where it is.
fn house() -> (House, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let datagrams = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    let names = Some([OwnedFd::from(listener), OwnedFd::from(datagrams)]);
    (House::build(Plan { names, ..Plan::default() }), port)
}

fn client(port: u16) -> UdpSocket {
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.connect(("127.0.0.1", port)).unwrap();
    client.set_read_timeout(Some(SOON)).unwrap();
    client
}

async fn listener(house: &House, port: u16) -> TcpListener {
    let (byte, fd) = ask(house, Ask::Listener(port), FENCE).await;
    assert_eq!(byte, pass::OK);
    let listener = TcpListener::from(fd.unwrap());
    listener.set_nonblocking(false).unwrap();
    listener
}

fn question(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut question).unwrap();
    question
}

fn received(client: &UdpSocket) -> Vec<u8> {
    let mut answer = vec![0; 70_000];
    let length = client.recv(&mut answer).unwrap();
    answer.truncate(length);
    answer
}

#[tokio::test]
async fn a_datagram_is_answered_over_a_connection() {
    let (house, port) = house();
    let (one, other) = (client(port), client(port));
    // Before anybody serves it, too.
    one.send(b"from one").unwrap();
    let platform = listener(&house, port).await;
    other.send(&[b'x'; 4096]).unwrap();
    let mut streams = [platform.accept().unwrap().0, platform.accept().unwrap().0];
    let questions = streams.each_mut().map(question);
    for (stream, asked) in streams.iter_mut().zip(&questions) {
        let answer = [&asked[..1], b"answer"].concat();
        stream.write_all(&[&[0, 7], &answer[..]].concat()).unwrap();
    }
    assert_eq!((received(&one), received(&other)), (b"fanswer".to_vec(), b"xanswer".to_vec()));
    let long = questions.iter().find(|question| question.starts_with(b"x")).unwrap();
    assert_eq!(long.len(), 4096);
}

#[tokio::test]
async fn what_cannot_be_answered_harms_nobody() {
    let (house, port) = house();
    let (rude, good) = (client(port), client(port));
    let platform = listener(&house, port).await;
    // Too long and empty: never carried.
    rude.send(&[b'y'; 4097]).unwrap();
    rude.send(&[]).unwrap();
    // Connections that end without an answer, or in the middle of one.
    for answer in [&b""[..], b"\x00", b"\x00\x09x"] {
        rude.send(b"rude").unwrap();
        let (mut stream, _) = platform.accept().unwrap();
        assert_eq!(question(&mut stream), b"rude");
        stream.write_all(answer).unwrap();
    }
    good.send(b"good").unwrap();
    let (mut stream, _) = platform.accept().unwrap();
    assert_eq!(question(&mut stream), b"good");
    stream.write_all(b"\x00\x02ok").unwrap();
    assert_eq!(received(&good), b"ok");
    rude.set_nonblocking(true).unwrap();
    assert!(rude.recv(&mut [0; 10]).is_err(), "nothing came for that");
}

#[tokio::test]
async fn a_flood_of_questions_holds_a_few_connections() {
    let (house, port) = house();
    let flood = client(port);
    let platform = listener(&house, port).await;
    let mut held = Vec::new();
    // They are full once a question is dropped; how soon is the kernel's business.
    for _ in 0..2_000 {
        flood.send(b"flood").unwrap();
    }
    platform.set_nonblocking(true).unwrap();
    let link = house.link().await;
    for _ in 0..20 {
        // Whatever init does, it has done it when it answers.
        link.status().await.unwrap();
        while let Ok((stream, _)) = platform.accept() {
            held.push(stream);
        }
    }
    assert!((1..=64).contains(&held.len()), "{}", held.len());
}

#[test]
fn sockets_of_the_wrong_kind_are_no_name_service() {
    let pair = || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        OwnedFd::from(socket)
    };
    let mut house = House::build(Plan { names: Some([pair(), pair()]), ..Plan::default() });
    assert_eq!(house.ended().code(), Some(11));
}
