//! How the reader gives away what it does not need: it sees a home and a scratch directory, has the
//! box's uid and no privilege.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr,
};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fstat, mkdirat, openat, statat};
use rustix::io::Errno;
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount, mount_change,
    mount_remount, move_mount, open_tree,
};
use rustix::process::{Gid, Resource, Rlimit, Uid};
use rustix::thread::{CapabilitySet, UnshareFlags};

use super::insist;
use super::wire::Begin;

/// What the reader sees.
pub(super) struct View {
    pub(super) home: OwnedFd,
    pub(super) device: u64,
    pub(super) scratch: OwnedFd,
    /// Where the home is, for who opens by path.
    pub(super) home_path: PathBuf,
    /// Where scratch is.
    pub(super) scratch_path: PathBuf,
    /// The box's uid.
    pub(super) uid: u32,
    /// Whether what is the box's own can be read whatever its mode.
    pub(super) insists: bool,
}

pub(super) fn enter(begin: &Begin) -> io::Result<View> {
    rustix::process::umask(Mode::from_raw_mode(0o077));
    limit()?;
    let path = |name: &[u8]| PathBuf::from(OsStr::from_bytes(name));
    let (root, home) = (path(&begin.root), path(&begin.home));
    let scratch = begin.scratch.as_deref().map(path);
    // A home that is a link is not the box's home.
    let is = FileType::from_raw_mode(statat(CWD, &home, AtFlags::SYMLINK_NOFOLLOW)?.st_mode);
    if is != FileType::Directory {
        return Err(Errno::NOTDIR.into());
    }
    let superuser = rustix::process::geteuid().is_root();
    let walled = if superuser { namespace(UnshareFlags::NEWNS) } else { own_user() };
    let (home_path, scratch_path) = match walled {
        Ok(()) => {
            narrow(&root, &home, scratch.as_deref(), begin.live)?;
            (PathBuf::from("/home"), scratch.map(|_| PathBuf::from("/scratch")))
        }
        // Without a view of its own, root's reader would have everything that the box's user may read.
        Err(error) if superuser => return Err(error.into()),
        Err(_) => (home, scratch),
    };
    // Without one, nothing is copied.
    let scratch_path = scratch_path.unwrap_or_else(|| home_path.clone());
    let open = |at: &Path| openat(CWD, at, directory(), Mode::empty());
    let (home, scratch) = (open(&home_path)?, open(&scratch_path)?);
    if walled.is_err() {
        fence(&home_path, &scratch_path, begin.live)?;
    }
    // Who is not root is the box's user already, or has none to become.
    let insists = drop_privileges(begin.user.filter(|_| superuser), walled.is_ok())?;
    let uid = rustix::process::geteuid().as_raw();
    let device = fstat(&home)?.st_dev;
    Ok(View { home, device, scratch, home_path, scratch_path, uid, insists })
}

pub(super) fn directory() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

fn limit() -> io::Result<()> {
    // What a database or a tree could make it take.
    const MEMORY: u64 = 1 << 30;
    const FILES: u64 = 512;
    for (resource, most) in [(Resource::Core, 0), (Resource::As, MEMORY), (Resource::Nofile, FILES)]
    {
        let hard = rustix::process::getrlimit(resource).maximum.map_or(most, |now| now.min(most));
        let both = Rlimit { current: Some(hard), maximum: Some(hard) };
        rustix::process::setrlimit(resource, both)?;
    }
    Ok(())
}

fn namespace(flags: UnshareFlags) -> Result<(), Errno> {
    #[expect(
        unsafe_code,
        reason = "unshare(2) is unsafe only with FILES, which is never asked for"
    )]
    // SAFETY: no caller passes `UnshareFlags::FILES`.
    unsafe {
        rustix::thread::unshare_unsafe(flags)
    }
}

/// An ordinary user's way in: a user namespace that has that user alone.
fn own_user() -> Result<(), Errno> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    namespace(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)?;
    let files = [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("{uid} {uid} 1")),
        ("gid_map", format!("{gid} {gid} 1")),
    ];
    for (name, text) in files {
        let written = std::fs::write(Path::new("/proc/self").join(name), text);
        written.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    }
    Ok(())
}

/// Makes the home and scratch the whole of the file system.
fn narrow(root: &Path, home: &Path, scratch: Option<&Path>, live: bool) -> io::Result<()> {
    mount_change(c"/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let clone = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_SYMLINK_NOFOLLOW;
    let mut trees = vec![("home", open_tree(CWD, home, clone)?)];
    if let Some(scratch) = scratch {
        trees.push(("scratch", open_tree(CWD, scratch, clone)?));
    }
    let closed = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount(c"tmpfs", root, c"tmpfs", closed, c"size=64k,mode=0755")?;
    let view = openat(CWD, root, directory(), Mode::empty())?;
    for (name, tree) in trees {
        mkdirat(&view, name, Mode::from_raw_mode(0o755))?;
        move_mount(tree, c"", &view, name, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
        let read_only =
            if name == "home" && !live { MountFlags::RDONLY } else { MountFlags::empty() };
        // In a user namespace some flags are locked. It is a second wall: what it keeps out, the uid
        // and the flags of each open keep out too.
        let _ = mount_remount(root.join(name), MountFlags::BIND | closed | read_only, c"");
    }
    rustix::process::fchdir(&view)?;
    rustix::process::chroot(c".")?;
    rustix::process::chdir(c"/")?;
    Ok(())
}

/// Where there are no namespaces for us: only the home and scratch can be opened, if the kernel knows
/// how to see to that.
fn fence(home: &Path, scratch: &Path, live: bool) -> io::Result<()> {
    let abi = ABI::V5;
    let read = AccessFs::from_read(abi);
    let all = AccessFs::from_all(abi);
    let made = || -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(all)?
            .create()?
            .add_rule(PathBeneath::new(PathFd::new(home)?, if live { all } else { read }))?;
        let rules = if scratch == home {
            rules
        } else {
            rules.add_rule(PathBeneath::new(PathFd::new(scratch)?, all))?
        };
        rules.restrict_self()?;
        Ok(())
    };
    made().map_err(io::Error::other)
}

/// Says whether modes can still be overruled, within walls.
fn drop_privileges(user: Option<(u32, u32)>, walled: bool) -> io::Result<bool> {
    for number in 0..64 {
        let one = CapabilitySet::from_bits_retain(1 << number);
        // Who has no privilege has none to remove.
        match rustix::thread::remove_capability_from_bounding_set(one) {
            Ok(()) => {}
            Err(Errno::INVAL | Errno::PERM) => break,
            Err(error) => return Err(error.into()),
        }
    }
    if let Some((uid, gid)) = user {
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        rustix::thread::set_thread_groups(&[])?;
        rustix::thread::set_thread_res_gid(gid, gid, gid)?;
        rustix::thread::set_keep_capabilities(walled)?;
        rustix::thread::set_thread_res_uid(uid, uid, uid)?;
    }
    rustix::thread::clear_ambient_capability_set()?;
    rustix::thread::set_no_new_privs(true)?;
    // Without a filter of system calls there is no such privilege.
    insist::keep(walled && insist::forbid_handles().is_ok())
}
