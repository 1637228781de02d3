//! Making a sandbox, seen from the helper: fork the child that becomes init, map its user, wait
//! until it has become init or says why not.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use super::fault::{Doing, fault};
use super::spec::{Fault, Level, Make, Reply};
use super::{child, enter, sys};

/// The child asks to be mapped.
pub(super) const MAP_ME: u8 = b'm';
/// The child asks whether to become init: not if the helper has been killed meanwhile.
pub(super) const READY: u8 = b'r';
/// The child failed; a [`Fault`] follows.
pub(super) const FAILED: u8 = b'f';

/// Makes it. The pid is told even if it failed, so that somebody can reap it.
pub(super) fn make(order: &Make) -> Reply {
    let mut reply = Reply::default();
    reply.fault = attempt(order, &mut reply.pid).err();
    reply
}

fn attempt(order: &Make, told: &mut Option<i32>) -> Result<(), Fault> {
    let (mut ours, theirs) = UnixStream::pair().doing("making a socket pair")?;
    match order.level {
        Level::Full => enter::new_pid_namespace()?,
        Level::Reduced => enter::outer_user_namespace(order.host_uid, order.host_gid)?,
        Level::None => {}
    }
    let pid = sys::fork_sibling().doing("forking")?;
    if pid == 0 {
        drop(ours);
        child::become_init(order, theirs);
    }
    drop(theirs);
    *told = Some(pid);
    super::say(&Reply { pid: *told, ..Reply::default() });
    let mut word = [0];
    while ours.read(&mut word).doing("waiting for the new sandbox")? == 1 {
        match word[0] {
            MAP_ME => {
                enter::map(&pid.to_string(), order.host_uid, order.host_gid)?;
                ours.write_all(&[MAP_ME]).doing("telling the new sandbox its user")?;
            }
            READY => ours.write_all(&[READY]).doing("letting init begin")?,
            _ => return Err(read_fault(&mut ours)),
        }
    }
    Ok(())
}

fn read_fault(from: &mut UnixStream) -> Fault {
    let mut text = Vec::new();
    match from.read_to_end(&mut text) {
        Ok(_) => serde_json::from_slice(&text).unwrap_or_else(|e| fault("making the sandbox", e)),
        Err(e) => fault("hearing from the new sandbox", e),
    }
}
