//! Namespaces and users: entering them, and giving every privilege away.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::process::{Gid, Uid};
use rustix::thread::{CapabilitiesSecureBits, CapabilitySet, CapabilitySets, UnshareFlags};
use smartbox_core::sandbox::INNER_UID;

use super::fault::Doing;
use super::make::MAP_ME;
use super::spec::{Fault, Level};

/// Leaves the present namespaces of these kinds for new ones.
pub(super) fn unshare(flags: UnshareFlags, doing: &str) -> Result<(), Fault> {
    #[expect(
        unsafe_code,
        reason = "unshare(2) is unsafe only with FILES, which is never asked for"
    )]
    // SAFETY: no caller passes `UnshareFlags::FILES`.
    let result = unsafe { rustix::thread::unshare_unsafe(flags) };
    result.doing(doing)
}

/// The next child is the first process of a new process namespace.
pub(super) fn new_pid_namespace() -> Result<(), Fault> {
    unshare(UnshareFlags::NEWPID, "making a process namespace")
}

/// An ordinary user's way in: a user namespace in which we may make the others.
pub(super) fn outer_user_namespace(uid: u32, gid: u32) -> Result<(), Fault> {
    unshare(
        UnshareFlags::NEWUSER | UnshareFlags::NEWPID,
        "making a user namespace as an ordinary user",
    )?;
    map("self", uid, gid)
}

/// Maps the inner uid and gid of a process's user namespace to these outer ones, and nothing else.
pub(super) fn map(who: &str, uid: u32, gid: u32) -> Result<(), Fault> {
    let dir = Path::new("/proc").join(who);
    let files = [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{INNER_UID} {uid} 1")),
        ("gid_map", format!("{INNER_UID} {gid} 1")),
    ];
    for (name, text) in files {
        std::fs::write(dir.join(name), text).doing_to("writing", &name)?;
    }
    Ok(())
}

/// Enters the last user namespace, which owns none of the others, as the box's user.
pub(super) fn inner_user_namespace(level: Level, parent: &mut UnixStream) -> Result<(), Fault> {
    if level == Level::Full {
        rustix::thread::set_thread_groups(&[]).doing("dropping groups")?;
        unshare(UnshareFlags::NEWUSER, "making a user namespace")?;
        parent.write_all(&[MAP_ME]).doing("asking to be mapped")?;
        parent.read_exact(&mut [0]).doing("being mapped")?;
    } else {
        unshare(UnshareFlags::NEWUSER, "making the inner user namespace")?;
        map("self", INNER_UID, INNER_UID)?;
    }
    let (uid, gid) = (Uid::from_raw(INNER_UID), Gid::from_raw(INNER_UID));
    rustix::thread::set_thread_res_gid(gid, gid, gid).doing("becoming the box's group")?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).doing("becoming the box's user")
}

/// Gives up every capability for good.
pub(super) fn drop_privileges() -> Result<(), Fault> {
    for number in 0..64 {
        let one = CapabilitySet::from_bits_retain(1 << number);
        match rustix::thread::remove_capability_from_bounding_set(one) {
            Ok(()) => {}
            Err(rustix::io::Errno::INVAL) if number > 0 => break,
            Err(e) => return Err(e).doing("emptying the bounding set"),
        }
    }
    rustix::thread::clear_ambient_capability_set().doing("emptying the ambient set")?;
    type Bits = CapabilitiesSecureBits;
    rustix::thread::set_capabilities_secure_bits(
        Bits::NO_ROOT
            | Bits::NO_ROOT_LOCKED
            | Bits::NO_SETUID_FIXUP
            | Bits::NO_SETUID_FIXUP_LOCKED
            | Bits::KEEP_CAPS_LOCKED
            | Bits::NO_CAP_AMBIENT_RAISE
            | Bits::NO_CAP_AMBIENT_RAISE_LOCKED,
    )
    .doing("locking the secure bits")?;
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(
        None,
        CapabilitySets { effective: none, permitted: none, inheritable: none },
    )
    .doing("dropping capabilities")
}
