//! Passes bytes both ways. Each way ends by itself, and its end is passed on.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use rustix::fs::{Mode, OFlags};

use super::ask::Tunnel;

/// Passes until both ways have ended.
pub(super) fn pipe(mut tunnel: Tunnel) -> Result<(), String> {
    let broke = |error: io::Error| format!("the connection broke off: {error}");
    let up = tunnel.get_ref().try_clone().map_err(broke)?;
    let there = std::thread::spawn(move || send(up));
    let back = copy(&mut tunnel, &mut io::stdout().lock());
    // The program learns that nothing more comes; what it still says goes out.
    let _ = close_stdout();
    // Where nobody reads what comes, or nothing can come, the other way has no use either.
    back.map_err(broke)?;
    there.join().map_err(|_| "the connection broke off")?.map_err(broke)
}

fn send(mut up: TcpStream) -> io::Result<()> {
    let sent = copy(&mut io::stdin().lock(), &mut up);
    // It may be gone already, which is as well.
    let _ = up.shutdown(Shutdown::Write);
    sent
}

/// Like `io::copy`, but what was read is written at once: both ends may be waiting for it.
fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut piece = vec![0; 64 << 10];
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(n) => {
                to.write_all(&piece[..n])?;
                to.flush()?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn close_stdout() -> io::Result<()> {
    let null = rustix::fs::open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::stdio::dup2_stdout(null)?;
    Ok(())
}
