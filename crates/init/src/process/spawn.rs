//! Starts processes. By hand, since a child that joins a frozen cgroup stops before it executes
//! anything: the library's way would block init until the thaw.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::sync::oneshot;

use super::image::Image;
use super::{Ended, Group, Places, Port, Reaper};

/// How far a child came before it failed.
const STAGES: [&str; 9] = [
    "becoming a session of its own",
    "joining its cgroup",
    "taking its standard descriptors",
    "taking its terminal",
    "entering its directory",
    "lowering its limits",
    "giving up privileges",
    "confining itself",
    "executing the program",
];

/// Starts children the same way for the engine and for execs.
pub(crate) struct Spawner {
    pub(crate) reaper: Arc<Reaper>,
    pub(crate) track: Option<Arc<OwnedFd>>,
    pub(crate) joins: Vec<OwnedFd>,
    pub(crate) landlock: Option<OwnedFd>,
    /// Bytes of the largest file that a child may write; 0 for no limit.
    pub(crate) file_bytes: u64,
    /// Where what an order names lies.
    pub(crate) places: Places,
    /// Whose processes these are; a mark that they carry where no cgroup holds them begins with it.
    pub(crate) id: String,
}

/// What to start.
pub(crate) struct Job<'a> {
    pub(crate) image: &'a Image,
    pub(crate) group: &'a Group,
    /// Standard input, output and error.
    pub(crate) stdio: [OwnedFd; 3],
    /// Standard input is a terminal that becomes the child's own.
    pub(crate) tty: bool,
}

/// A child of init.
pub(crate) struct Child {
    pub(crate) pid: Pid,
    /// How it ended, once.
    pub(crate) end: oneshot::Receiver<Ended>,
    /// Whether it got as far as its program.
    pub(crate) report: Report,
    reaper: Arc<Reaper>,
}

/// Where a child says what kept it from its program.
pub(crate) struct Report(Port);

/// Numbers and pointers that the child uses between fork and exec.
struct Raw<'a> {
    programs: &'a [CString],
    argv: Vec<*const libc::c_char>,
    env: Vec<*const libc::c_char>,
    cwd: &'a CStr,
    stdio: [RawFd; 3],
    tty: bool,
    joins: Vec<RawFd>,
    landlock: RawFd,
    file_bytes: u64,
    report: RawFd,
}

impl Spawner {
    /// Forks. The child reports through its [`Report`] whether it got as far as its program.
    #[expect(unsafe_code, reason = "fork is the C library's")]
    pub(crate) fn spawn(&self, job: Job<'_>) -> io::Result<Child> {
        let (report, told) = pipe_with(PipeFlags::CLOEXEC)?;
        let report = Report(Port::new(report)?);
        let Job { image, group, stdio, tty } = job;
        let raw = Raw {
            programs: &image.programs,
            argv: pointers(&image.argv),
            env: pointers(&image.env),
            cwd: &image.cwd,
            stdio: stdio.each_ref().map(AsRawFd::as_raw_fd),
            tty,
            joins: self.joins.iter().map(AsRawFd::as_raw_fd).chain(group.procs()).collect(),
            landlock: self.landlock.as_ref().map_or(-1, AsRawFd::as_raw_fd),
            file_bytes: self.file_bytes,
            report: told.as_raw_fd(),
        };
        // SAFETY: the child runs `child::become_it` alone, which allocates nothing, takes no lock and
        // does not return.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            child::become_it(&raw);
        }
        let failed = io::Error::last_os_error();
        // What stays open here would keep the child's pipes from ending.
        drop((stdio, told));
        let pid = Pid::from_raw(pid).filter(|pid| pid.as_raw_nonzero().get() > 0);
        let pid = pid.ok_or(failed)?;
        let end = self.reaper.expect(pid);
        Ok(Child { pid, end, report, reaper: Arc::clone(&self.reaper) })
    }
}

impl Report {
    /// Waits until the child runs its program, or says why it does not. A child in a frozen cgroup
    /// does neither until the thaw.
    pub(crate) async fn started(&self) -> Result<(), String> {
        let mut bytes = [0; 5];
        match self.0.read(&mut bytes).await {
            Ok(0) => Ok(()),
            Ok(5) => {
                let stage = STAGES.get(usize::from(bytes[0])).copied().unwrap_or("starting");
                let errno = i32::from_ne_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]);
                Err(format!("{stage}: {}", io::Error::from_raw_os_error(errno)))
            }
            _ => Err("the child's report is not understood".into()),
        }
    }
}

impl Child {
    /// Sends a signal to the process alone.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.reaper.holds(self.pid) {
            let _ = kill_process(self.pid, signal);
        }
    }

    /// Sends a signal to the process and its process group.
    pub(crate) fn signal_group(&self, signal: Signal) {
        if self.reaper.holds(self.pid) && kill_process_group(self.pid, signal).is_err() {
            let _ = kill_process(self.pid, signal);
        }
    }
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|s| s.as_ptr()).chain([std::ptr::null()]).collect()
}

/// The child between fork and exec: async-signal-safe calls only.
mod child {
    #![expect(unsafe_code, reason = "only raw calls are safe between fork and exec")]

    use std::mem::MaybeUninit;

    use super::Raw;

    /// Becomes the program, or reports the stage and error and exits with 127.
    pub(super) fn become_it(raw: &Raw<'_>) -> ! {
        // SAFETY: every call takes numbers or pointers into `raw` and this frame, which live until
        // exec or exit; none allocates or locks.
        unsafe {
            let (stage, errno) = match prepare(raw) {
                Ok(()) => (8, execute(raw)),
                Err(failed) => failed,
            };
            let mut report = [stage, 0, 0, 0, 0];
            report[1..].copy_from_slice(&errno.to_ne_bytes());
            libc::write(raw.report, report.as_ptr().cast(), report.len());
            libc::_exit(127)
        }
    }

    type Stage = Result<(), (u8, i32)>;

    unsafe fn prepare(raw: &Raw<'_>) -> Stage {
        // SAFETY: as in `become_it`.
        unsafe {
            // What init was told to ignore is not the child's business; the two that cannot be set fail.
            for signal in 1..=64 {
                libc::signal(signal, libc::SIG_DFL);
            }
            // Only then: no handler of init's may run here.
            let mut none = MaybeUninit::<libc::sigset_t>::uninit();
            libc::sigemptyset(none.as_mut_ptr());
            libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
            check(0, libc::setsid())?;
            for &fd in &raw.joins {
                check(1, i32::from(libc::write(fd, c"0".as_ptr().cast(), 1) == 1) - 1)?;
            }
            for (at, &fd) in [0, 1, 2].iter().zip(&raw.stdio) {
                check(2, libc::dup2(fd, *at))?;
            }
            if raw.tty {
                check(3, libc::ioctl(0, libc::TIOCSCTTY, 0))?;
            }
            check(4, libc::chdir(raw.cwd.as_ptr()))?;
            check(5, lower(libc::RLIMIT_CORE, 0))?;
            if raw.file_bytes > 0 {
                check(5, lower(libc::RLIMIT_FSIZE, raw.file_bytes))?;
            }
            check(6, libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
            if raw.landlock >= 0 {
                let done = libc::syscall(libc::SYS_landlock_restrict_self, raw.landlock, 0);
                check(7, i32::from(done == 0) - 1)?;
            }
            Ok(())
        }
    }

    unsafe fn execute(raw: &Raw<'_>) -> i32 {
        let mut last = libc::ENOENT;
        for program in raw.programs {
            // SAFETY: as in `become_it`.
            unsafe { libc::execve(program.as_ptr(), raw.argv.as_ptr(), raw.env.as_ptr()) };
            match errno() {
                libc::ENOENT | libc::ENOTDIR => {}
                libc::EACCES => last = libc::EACCES,
                other => return other,
            }
        }
        last
    }

    /// Lowers a limit; a lower one that is there stays.
    unsafe fn lower(resource: libc::__rlimit_resource_t, to: u64) -> libc::c_int {
        // SAFETY: as in `become_it`; `limit` is written before it is read.
        unsafe {
            let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            if libc::getrlimit(resource, &raw mut limit) != 0 {
                return -1;
            }
            limit.rlim_max = limit.rlim_max.min(to);
            limit.rlim_cur = limit.rlim_cur.min(limit.rlim_max);
            libc::setrlimit(resource, &raw const limit)
        }
    }

    fn check(stage: u8, returned: libc::c_int) -> Stage {
        if returned == -1 { Err((stage, errno())) } else { Ok(()) }
    }

    fn errno() -> i32 {
        // SAFETY: the location is this thread's own.
        unsafe { *libc::__errno_location() }
    }
}
