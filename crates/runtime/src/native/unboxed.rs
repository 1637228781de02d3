//! Boxes without a sandbox (`--insecure-no-sandbox`): what namespaces would have given, as far as it
//! can be had by other means. Nothing here isolates anything.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::RuntimeError;
use smartbox_core::sandbox::{ENGINE_DIR, HOME_DIR};

use super::error::broken;
use super::{Inner, lock, peer, procs, remove};

/// Where init finds what every box calls by the same names.
pub(super) fn places(home: &str, engine: &Path) -> Vec<(String, String)> {
    let engine = engine.to_string_lossy().into_owned();
    vec![(HOME_DIR.to_owned(), home.to_owned()), (ENGINE_DIR.to_owned(), engine)]
}

/// Whether these ports of the machine are free: they are the boxes' own nowhere, so that two cannot be up.
pub(super) fn free(ports: &[u16]) -> Result<(), RuntimeError> {
    for port in ports {
        // For a moment: nobody connects to it, and init says so itself if another is quicker.
        match TcpListener::bind((Ipv4Addr::LOCALHOST, *port)) {
            Err(e) if e.kind() == ErrorKind::AddrInUse => {
                return Err(RuntimeError::Unsupported {
                    why: format!(
                        "without isolation (--insecure-no-sandbox) every smartbox needs port {port} of \
                         this machine, so that one can be up at a time, and something has that port: \
                         stop the other one (`smartbox sleep --deep`) or the program that has it"
                    ),
                });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Does what the kernel does in a process namespace: where init has died, what it started dies, too. Says
/// whether that was so.
pub(super) async fn end_orphans(inner: &Inner, id: &SmartboxId) -> Result<bool, RuntimeError> {
    let lock = inner.lock(id);
    // Whoever holds it may be about to make or to end the box; the next look will do.
    let Ok(_one) = lock.try_lock() else { return Ok(false) };
    let Some(_across) = lock::now(&inner.dir(id))? else { return Ok(false) };
    match peer::find(&inner.dir(id)).await {
        Ok(Some(_)) => Ok(false),
        Ok(None) => remove::remove(inner, id).await.map(|()| true),
        Err(error) => Err(broken("looking for the sandbox", error)),
    }
}

/// The living processes of a box beneath its init, and those that an init which was killed left behind:
/// they carry the box's id, as those that it starts do wherever no cgroup holds them.
pub(super) fn members(id: &SmartboxId, init: Option<i32>) -> BTreeSet<i32> {
    let alive = |(pid, state): (i32, char)| (!matches!(state, 'Z' | 'X')).then_some(pid);
    let beneath = init.into_iter().flat_map(procs::descendants).filter_map(alive);
    let mut members: BTreeSet<i32> = beneath.collect();
    let marked = format!("{}={id}.", smartbox_link::inherit::MARK);
    for (pid, state) in procs::all() {
        let environment = || fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let carries = |text: Vec<u8>| {
            text.split(|byte| *byte == 0).any(|entry| entry.starts_with(marked.as_bytes()))
        };
        if !matches!(state, 'Z' | 'X') && carries(environment()) {
            members.insert(pid);
        }
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_somebody_has_is_named() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let why = free(&[port]).unwrap_err().to_string();
        assert!(why.contains(&format!("port {port} of this machine")), "{why}");
        drop(taken);
        free(&[port]).unwrap();
    }
}
