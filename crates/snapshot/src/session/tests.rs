//! A reader that lies: each answer that it could give to each question.

use std::io::Write;
use std::os::fd::AsFd;
use std::thread;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::net::{SendFlags, send as raw};

use super::*;
use crate::reader::wire::{End, Found, Kind, PACKET};

/// What it does with one question.
type Lie = Box<dyn FnOnce(&OwnedFd) + Send>;

fn lie(say: Say, fd: Option<OwnedFd>) -> Lie {
    Box::new(move |socket| {
        // That it was hung up on is what is tested.
        let _ = send(socket, &say, fd.as_ref().map(AsFd::as_fd));
    })
}

fn told<T>(lie: Lie, ask: impl FnOnce(&mut Session) -> Result<T, SnapshotError>) -> Option<T> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    let place = HomePlace { root: path.clone(), home: path.clone(), scratch: path, user: None };
    let (ours, theirs) =
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let liar = thread::spawn(move || {
        let mut buffer = Vec::new();
        receive::<Ask>(&theirs, &mut buffer).unwrap().unwrap();
        lie(&theirs);
    });
    let mut session = Session::over(ours, None, &place).unwrap();
    let got = ask(&mut session);
    liar.join().unwrap();
    match got {
        Ok(got) => Some(got),
        Err(SnapshotError::Broken { .. } | SnapshotError::Hole { .. }) => None,
        Err(other) => panic!("{other:?}"),
    }
}

fn regular(dir: &std::path::Path) -> OwnedFd {
    let path = dir.join("file");
    std::fs::write(&path, "x").unwrap();
    File::open(path).unwrap().into()
}

#[test]
fn a_descriptor_that_is_no_file_of_that_file_system_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let open = |session: &mut Session| session.open(b"file");
    let good = told(lie(Say::Opened, Some(regular(dir.path()))), open);
    assert!(good.flatten().is_some());
    let memory = memfd_create("x", MemfdFlags::CLOEXEC).unwrap();
    File::from(memory.try_clone().unwrap()).write_all(b"loot").unwrap();
    let bad: [(&str, OwnedFd); 4] = [
        ("memory", memory),
        ("a device", File::open("/dev/zero").unwrap().into()),
        ("the kernel's", File::open("/proc/self/environ").unwrap().into()),
        ("a directory", File::open(dir.path()).unwrap().into()),
    ];
    for (what, fd) in bad {
        assert!(told(lie(Say::Opened, Some(fd)), open).is_none(), "{what}");
    }
    assert!(told(lie(Say::Opened, None), open).is_none(), "none at all");
    let unasked = lie(Say::Gone, Some(regular(dir.path())));
    assert!(told(unasked, open).is_none(), "one that is not there");
}

#[test]
fn an_answer_to_another_question_ends_it() {
    let found = Found {
        depth: 0,
        name: b"..".to_vec(),
        kind: Kind::Directory,
        stat: Looks::default(),
        database: false,
    };
    let walk = |session: &mut Session| session.walk(Time(0, 0)).map(drop);
    assert!(told(lie(Say::Found(vec![found]), None), walk).is_none());
    assert!(told(lie(Say::Rested(true), None), walk).is_none());
    assert!(told(lie(Say::End(End::default()), None), walk).is_some());
    let orders = [Order { from: b"a".to_vec(), to: "c0".to_owned() }];
    let copy = |session: &mut Session| session.copy(&orders).map(drop);
    assert!(told(lie(Say::Copied(vec![None]), None), copy).is_some());
    assert!(
        told(lie(Say::Copied(vec![None; 2]), None), copy).is_none(),
        "more than were asked for"
    );
    assert!(told(lie(Say::Copied(Vec::new()), None), copy).is_none(), "fewer");
    assert!(told(lie(Say::Ready, None), copy).is_none());
    let rest = |session: &mut Session| session.rest(&Ask::Rest("c0".to_owned(), Vec::new()));
    assert!(told(lie(Say::Opened, None), rest).is_none());
    assert!(told(lie(Say::Failed(b"x".to_vec(), -7), None), rest).is_none());
}

#[test]
fn bytes_that_are_no_message_end_it() {
    let open = |session: &mut Session| session.open(b"file").map(drop);
    let mut long = postcard::to_stdvec(&Say::Gone).unwrap();
    long.push(0);
    let count = [1, 255, 255, 255, 255, 15];
    for bytes in [&[0xff_u8; 64][..], &long, &count, &vec![0; PACKET + 1]] {
        let bytes = bytes.to_vec();
        let bad: Lie = Box::new(move |socket| {
            raw(socket, &bytes, SendFlags::NOSIGNAL).unwrap();
        });
        assert!(told(bad, open).is_none());
    }
    assert!(told(Box::new(|_| {}), open).is_none(), "it hangs up");
}
