//! The reader: a re-executed process that goes through one box's home with that box's uid and sees
//! nothing else of the machine. Whatever the box makes of its home, there is no file of the host that it
//! could lead the reader to.
//!
//! It is single-threaded, has one socket as its standard input, no environment, no privilege but one that
//! rests (`insist`), and does what it is asked ([`wire`]) until nobody asks any more. It decides nothing. The platform's side of
//! the socket is `crate::session`, which believes nothing that comes from here.

mod copy;
mod enter;
mod insist;
pub(crate) mod packet;
mod rest;
mod sys;
pub(crate) mod tick;
mod walk;
pub(crate) mod wire;

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;

use crate::exclude::Excludes;
use enter::View;
use packet::{receive, send};
use walk::Walk;
use wire::{Ask, Begin, Found, Say};

pub(crate) use walk::looks;

/// The argument by which a program that embeds the reader recognises it.
pub const ARG: &str = "__read";

/// About how much of a walk goes into one packet.
const BATCH: usize = 32 * 1024;

/// Serves the socket on standard input and ends the process.
///
/// Call it before any thread is started: namespaces and uids are a thread's.
pub fn reader_main() -> ! {
    let served = sys::close_from(3).and_then(|()| {
        let socket = rustix::io::fcntl_dupfd_cloexec(io::stdin().as_fd(), 3)?;
        serve(&socket)
    });
    std::process::exit(i32::from(served.is_err()))
}

fn serve(socket: &OwnedFd) -> io::Result<()> {
    let mut buffer = Vec::new();
    let Some((Ask::Begin(begin), _)) = receive(socket, &mut buffer)? else { return Ok(()) };
    let (view, excludes) = match begun(&begin) {
        Ok(both) => both,
        Err(error) => return send(socket, &failed(b".", &error), None),
    };
    send(socket, &Say::Ready, None)?;
    while let Some((ask, _)) = receive::<Ask>(socket, &mut buffer)? {
        answer(socket, &view, &excludes, ask)?;
    }
    Ok(())
}

fn begun(begin: &Begin) -> io::Result<(View, Excludes)> {
    // Before there is anything hostile in sight.
    let excludes = Excludes::new(&begin.exclude).map_err(io::Error::other)?;
    Ok((enter::enter(begin)?, excludes))
}

fn answer(socket: &OwnedFd, view: &View, excludes: &Excludes, ask: Ask) -> io::Result<()> {
    let say = |say: &Say| send(socket, say, None);
    match ask {
        Ask::Begin(_) => Err(io::ErrorKind::InvalidInput.into()),
        Ask::Walk(since) => {
            let (mut batch, mut size) = (Vec::new(), 0);
            let mut tell = |found: Found| {
                let target =
                    if let wire::Kind::Link(target) = &found.kind { target.len() } else { 0 };
                size += found.name.len() + target + 96;
                batch.push(found);
                if size < BATCH {
                    return Ok(());
                }
                size = 0;
                say(&Say::Found(std::mem::take(&mut batch)))
            };
            let end = Walk::new(view, excludes, since).go(&mut tell)?;
            say(&Say::Found(batch))?;
            say(&Say::End(end))
        }
        Ask::Copy(orders) => {
            let mut copied = Vec::new();
            for order in &orders {
                match copy::copy(view, order) {
                    Ok(one) => copied.push(one),
                    Err(errno) => return say(&refused(&order.from, errno)),
                }
            }
            say(&Say::Copied(copied))
        }
        Ask::Open(path) => match copy::open(view, &path) {
            Ok(Some((file, _))) => send(socket, &Say::Opened, Some(file.as_fd())),
            Ok(None) => say(&Say::Gone),
            Err(errno) => say(&refused(&path, errno)),
        },
        Ask::OpenCopy(name) => match copy::open_copy(view, &name) {
            Ok(file) => send(socket, &Say::Opened, Some(file.as_fd())),
            Err(errno) => say(&refused(name.as_bytes(), errno)),
        },
        Ask::Rest(name, logs) => say(&Say::Rested(rest::rest(view, &name, &logs).is_ok())),
        Ask::Online(path, name) => say(&Say::Rested(rest::online(view, &path, &name).is_ok())),
    }
}

fn failed(path: &[u8], error: &io::Error) -> Say {
    Say::Failed(path.to_vec(), error.raw_os_error().unwrap_or_else(|| Errno::IO.raw_os_error()))
}

fn refused(path: &[u8], errno: Errno) -> Say {
    Say::Failed(path.to_vec(), errno.raw_os_error())
}
