//! Finding out whether a level works here, by doing it once in a child that ends at once.

use std::ffi::CStr;

use rustix::mount::MountFlags;
use rustix::thread::UnshareFlags;

use super::fault::{Doing, fault};
use super::spec::{Fault, Level, Reply};
use super::{enter, filter, sys};

/// Every namespace, a private `/proc`, and a filter that compiles.
pub(super) fn probe(level: Level) -> Reply {
    Reply { fault: attempt(level).err(), ..Reply::default() }
}

fn attempt(level: Level) -> Result<(), Fault> {
    match level {
        Level::None => return Ok(()),
        Level::Full => enter::new_pid_namespace()?,
        Level::Reduced => {
            let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
            enter::outer_user_namespace(uid.as_raw(), gid.as_raw())?;
        }
    }
    filter::program().map_err(|e| fault("composing the system call filter", e))?;
    inside(level)
}

/// In a child, because only a child is in the new process namespace.
fn inside(level: Level) -> Result<(), Fault> {
    let (mut ours, theirs) =
        std::os::unix::net::UnixStream::pair().doing("making a socket pair")?;
    let pid = sys::fork().doing("forking")?;
    if pid == 0 {
        drop(ours);
        let fault = steps(level).err();
        let told = serde_json::to_writer(theirs, &fault).is_ok();
        std::process::exit(if told { 0 } else { 2 });
    }
    drop(theirs);
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut ours, &mut text).doing("hearing from the trial")?;
    let pid = rustix::process::Pid::from_raw(pid);
    let _ = rustix::process::waitpid(pid, rustix::process::WaitOptions::empty());
    let said: Option<Fault> =
        serde_json::from_slice(&text).map_err(|e| fault("understanding the trial", e))?;
    said.map_or(Ok(()), Err)
}

fn steps(level: Level) -> Result<(), Fault> {
    enter::unshare(
        UnshareFlags::NEWNS
            | UnshareFlags::NEWNET
            | UnshareFlags::NEWUTS
            | UnshareFlags::NEWIPC
            | UnshareFlags::NEWCGROUP,
        "making mount, network, host name, message and cgroup namespaces",
    )?;
    rustix::mount::mount_change(
        "/",
        rustix::mount::MountPropagationFlags::PRIVATE | rustix::mount::MountPropagationFlags::REC,
    )
    .doing("making mounts private")?;
    rustix::mount::mount("tmpfs", "/tmp", "tmpfs", MountFlags::empty(), None::<&CStr>)
        .doing("mounting a memory file system")?;
    sys::set_mount_attributes(c"/tmp", false, sys::RDONLY)
        .doing("restricting a mount (Linux 5.12 is the oldest kernel)")?;
    rustix::mount::mount("proc", "/proc", "proc", MountFlags::empty(), None::<&CStr>)
        .doing("mounting a private /proc")?;
    enter::unshare(UnshareFlags::NEWUSER, "making a user namespace")?;
    if level == Level::Reduced {
        let inner = smartbox_core::sandbox::INNER_UID;
        enter::map("self", inner, inner)?;
    }
    Ok(())
}
