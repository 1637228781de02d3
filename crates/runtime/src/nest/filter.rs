//! The system call filter: what no box may ask of the kernel.
//!
//! A deny list, because the engine and whatever its owner installs are ordinary programs. It takes
//! away what could make namespaces, look into other processes, load code into the kernel or reach
//! hardware, what is seldom needed and often broken, and what the platform's own limits rest on.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, sock_filter,
};

const LD_W_ABS: u16 = 0x20;
const JEQ: u16 = 0x15;
const JGE: u16 = 0x35;
const RET: u16 = 0x06;
const OFFSET_NR: u32 = 0;
const OFFSET_ARCH: u32 = 4;
/// Calls of the x32 ABI have this bit.
const X32: u32 = 0x4000_0000;
/// The first number that this filter has not been read against.
const UNKNOWN: u32 = 470;

/// Not named by libc yet.
const OPEN_TREE_ATTR: libc::c_long = 467;

#[cfg(target_arch = "x86_64")]
const AUDIT_ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const AUDIT_ARCH: u32 = 0xc000_00b7;

/// Refused whatever the arguments.
const DENIED: &[libc::c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_get_mempolicy,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mbind,
    libc::SYS_migrate_pages,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_name_to_handle_at,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_set_mempolicy,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
    libc::SYS_vmsplice,
    #[cfg(target_arch = "x86_64")]
    libc::SYS__sysctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ustat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_sysfs,
];

/// Namespaces that `clone` could make.
/// (CLONE_NEWTIME lies within the bits of the exit signal and means nothing to clone(2).)
const NEW_NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// Socket families that stay: within the box's own network namespace, and local ones.
const FAMILIES: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// The whole program.
pub(super) fn program() -> io::Result<BpfProgram> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let rules = rules().map_err(io::Error::other)?;
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        arch,
    )
    .map_err(io::Error::other)?;
    let denied = BpfProgram::try_from(filter).map_err(io::Error::other)?;
    let mut program = prologue();
    program.extend(denied);
    Ok(program)
}

/// Kills other architectures; answers `ENOSYS` to `clone3`, whose flags a filter cannot read, and
/// to calls that are newer than this list, so that programs fall back.
fn prologue() -> BpfProgram {
    let step = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    let kill = libc::SECCOMP_RET_KILL_PROCESS;
    let nosys = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs();
    let clone3 = u32::try_from(libc::SYS_clone3).unwrap_or(u32::MAX);
    vec![
        step(LD_W_ABS, 0, 0, OFFSET_ARCH),
        step(JEQ, 1, 0, AUDIT_ARCH),
        step(RET, 0, 0, kill),
        step(LD_W_ABS, 0, 0, OFFSET_NR),
        step(JGE, 0, 1, X32),
        step(RET, 0, 0, kill),
        step(JGE, 1, 0, UNKNOWN),
        step(JEQ, 0, 1, clone3),
        step(RET, 0, 0, nosys),
    ]
}

type Rules = BTreeMap<libc::c_long, Vec<SeccompRule>>;

fn rules() -> Result<Rules, seccompiler::BackendError> {
    let mut rules: Rules = DENIED.iter().map(|call| (*call, Vec::new())).collect();
    let word = |value: i32| u64::from(value.unsigned_abs());
    let when = |index, op, value| {
        SeccompRule::new(vec![SeccompCondition::new(index, Len::Dword, op, value)?])
    };
    let mut clones = Vec::new();
    for flag in NEW_NAMESPACES {
        clones.push(when(0, Op::MaskedEq(word(flag)), word(flag))?);
    }
    rules.insert(libc::SYS_clone, clones);
    // Typing into a terminal that somebody else reads.
    let mut ioctls = Vec::new();
    for request in [libc::TIOCSTI, libc::TIOCLINUX] {
        ioctls.push(when(1, Op::Eq, request)?);
    }
    rules.insert(libc::SYS_ioctl, ioctls);
    // Sockets that reach past the network namespace (vsock) or deep into the kernel.
    let mut other = Vec::new();
    for family in FAMILIES {
        other.push(SeccompCondition::new(0, Len::Dword, Op::Ne, word(family))?);
    }
    rules.insert(libc::SYS_socket, vec![SeccompRule::new(other.clone())?]);
    rules.insert(libc::SYS_socketpair, vec![SeccompRule::new(other)?]);
    // The limit on file size is how the platform stops a box that has filled its disk.
    let fsize = u64::from(libc::RLIMIT_FSIZE);
    let change = |index| {
        SeccompRule::new(vec![
            SeccompCondition::new(index, Len::Dword, Op::Eq, fsize)?,
            SeccompCondition::new(index + 1, Len::Qword, Op::Ne, 0)?,
        ])
    };
    // Nor may anyone change the limits of another process: init has the same user.
    let other = SeccompRule::new(vec![SeccompCondition::new(0, Len::Dword, Op::Ne, 0)?])?;
    rules.insert(libc::SYS_prlimit64, vec![change(1)?, other]);
    rules.insert(libc::SYS_setrlimit, vec![change(0)?]);
    Ok(rules)
}
