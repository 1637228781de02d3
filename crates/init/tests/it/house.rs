//! One init with a temporary home, and what it takes to look at it.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{PidfdFlags, Signal, kill_process, pidfd_open};
use smartbox_link::Link;
use smartbox_link::frame::Frame;
use smartbox_link::inherit::{FD_LAST, Inherit};
use smartbox_link::wire::{EngineOrder, EngineStatus, ExecOrder, Exit, TtySize};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// The deadline of everything that a test waits for: far, since machines are busy.
pub(crate) const SOON: Duration = Duration::from_secs(60);
/// The fence that an init is made with.
pub(crate) const FENCE: u64 = 7;

/// A running init.
pub(crate) struct House {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) document: Inherit,
    child: Child,
    lease: Option<File>,
}

/// What differs between tests.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) listeners: Vec<u16>,
    /// As without a sandbox.
    pub(crate) places: Vec<(String, String)>,
    pub(crate) log_cap: Option<u64>,
    pub(crate) file_bytes: u64,
    pub(crate) names: Option<[OwnedFd; 2]>,
    pub(crate) track: Option<OwnedFd>,
    pub(crate) joins: Vec<OwnedFd>,
    pub(crate) oom: Option<OwnedFd>,
    /// Run as PID 1 by `bwrap`, under this filter.
    pub(crate) filter: Option<OwnedFd>,
}

/// The number of the filter's descriptor.
const FD_FILTER: RawFd = 40;

impl House {
    pub(crate) fn new() -> Self {
        Self::build(Plan::default())
    }

    #[expect(unsafe_code, reason = "descriptors are put in their places between fork and exec")]
    pub(crate) fn build(plan: Plan) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        std::fs::create_dir(&home).unwrap();
        let lease_path = dir.path().join("lease");
        let lease = File::create(&lease_path).unwrap();
        flock(&lease, FlockOperation::LockExclusive).unwrap();
        let append = |name| {
            let path = dir.path().join(name);
            File::options().create(true).append(true).read(true).open(path).unwrap()
        };
        let listen = |name| UnixListener::bind(dir.path().join(name)).unwrap();
        let mut next = FD_LAST;
        let mut number = || {
            next += 1;
            next
        };
        let document = Inherit {
            id: "sb_test".into(),
            fence: FENCE,
            home: home.to_str().unwrap().into(),
            places: plan.places,
            listeners: plan.listeners,
            join_fds: plan.joins.iter().map(|_| number()).collect(),
            track_fd: plan.track.as_ref().map(|_| number()),
            oom_fd: plan.oom.as_ref().map(|_| number()),
            log_cap: plan.log_cap.unwrap_or(1 << 20),
            lease_fd: Some(number()),
            names_fds: plan.names.as_ref().map(|_| [number(), number()]),
            file_bytes: plan.file_bytes,
        };
        let document_path = dir.path().join("document");
        std::fs::write(&document_path, serde_json::to_vec(&document).unwrap()).unwrap();
        let given: Vec<OwnedFd> = [
            File::open(document_path).unwrap().into(),
            listen("link").into(),
            listen("pass").into(),
            append("log").into(),
            append("exits").into(),
            append("log.1").into(),
        ]
        .into_iter()
        .chain(plan.joins)
        .chain(plan.track)
        .chain(plan.oom)
        .chain([File::open(lease_path).unwrap().into()])
        .chain(plan.names.into_iter().flatten())
        // Out of the way of the numbers that they get.
        .map(|fd: OwnedFd| rustix::io::fcntl_dupfd_cloexec(fd, 200).unwrap())
        .collect();
        let mut numbers: Vec<(RawFd, RawFd)> =
            given.iter().zip(3..).map(|(fd, at)| (fd.as_raw_fd(), at)).collect();
        let filter = plan.filter.map(|fd| rustix::io::fcntl_dupfd_cloexec(fd, 200).unwrap());
        numbers.extend(filter.iter().map(|fd| (fd.as_raw_fd(), FD_FILTER)));
        let init = env!("CARGO_BIN_EXE_smartbox-init");
        let mut command = Command::new(if filter.is_some() { "bwrap" } else { init });
        if filter.is_some() {
            let home = document.home.as_str();
            command.args(
                "--unshare-user --unshare-all --uid 1000 --gid 1000 --cap-drop ALL".split(' '),
            );
            command.args("--as-pid-1 --ro-bind / / --proc /proc --dev /dev --bind".split(' '));
            command.args([home, home, "--seccomp", &FD_FILTER.to_string(), init]);
        }
        command.stdin(Stdio::null()).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
        // SAFETY: `dup2` alone is called, on numbers that are open.
        unsafe {
            command.pre_exec(move || {
                for &(fd, at) in &numbers {
                    if libc::dup2(fd, at) < 0 {
                        return Err(std::io::Error::last_os_error());
                    }
                }
                Ok(())
            });
        }
        let child = command.spawn().unwrap();
        Self { dir, document, child, lease: Some(lease) }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.dir.path().join(name)).unwrap_or_default())
            .into_owned()
    }

    pub(crate) async fn link(&self) -> Link {
        self.link_as(FENCE).await
    }

    pub(crate) async fn link_as(&self, fence: u64) -> Link {
        let stream = UnixStream::connect(self.dir.path().join("link")).await.unwrap();
        Link::open(stream, fence).await.unwrap()
    }

    pub(crate) fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    pub(crate) fn terminate(&self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
    }

    pub(crate) fn let_go(&mut self) {
        self.lease = None;
    }

    /// Waits for init's end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let pidfd = pidfd_open(self.pid(), PidfdFlags::empty()).unwrap();
        let limit = Timespec { tv_sec: 60, tv_nsec: 0 };
        let ready = poll(&mut [PollFd::new(&pidfd.as_fd(), PollFlags::IN)], Some(&limit)).unwrap();
        if ready == 0 {
            let _ = self.child.kill();
            panic!("init does not end");
        }
        self.child.wait().unwrap()
    }

    /// Waits until the engine's status is as wanted.
    pub(crate) async fn engine(
        &self,
        link: &Link,
        wanted: impl Fn(&EngineStatus) -> bool,
    ) -> EngineStatus {
        until(async || {
            let status = link.status().await.unwrap().engine;
            wanted(&status).then_some(status)
        })
        .await
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.lease = None;
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            self.ended();
        }
    }
}

/// Looks until there is something, with a deadline.
pub(crate) async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    timeout(SOON, async {
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        loop {
            pace.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    })
    .await
    .expect("it never came true")
}

/// Waits until a file holds a pid, and reads it.
pub(crate) async fn pid_in(path: &Path) -> i32 {
    until(async || std::fs::read_to_string(path).ok()?.strip_suffix('\n')?.parse().ok()).await
}

/// Whether a process runs, zombies aside.
pub(crate) fn runs(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Waits until a process is gone.
pub(crate) async fn gone(pid: i32) {
    until(async || (!runs(pid)).then_some(())).await;
}

pub(crate) fn order(script: &str) -> EngineOrder {
    EngineOrder {
        argv: vec!["/bin/sh".into(), "-c".into(), script.into()],
        env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
        cwd: "/tmp".into(),
        final_codes: vec![78],
    }
}

pub(crate) fn command(argv: &[&str]) -> ExecOrder {
    ExecOrder {
        argv: argv.iter().map(|&arg| arg.to_owned()).collect(),
        env: Default::default(),
        cwd: None,
        timeout_ms: Some(120_000),
        tty: None,
    }
}

pub(crate) fn script(text: &str) -> ExecOrder {
    command(&["/bin/sh", "-c", text])
}

pub(crate) fn on_terminal(text: &str, cols: u16, rows: u16) -> ExecOrder {
    ExecOrder { tty: Some(TtySize { cols, rows }), ..script(text) }
}

/// What a command said, and how it ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: Exit,
    pub(crate) failed: Option<String>,
}

/// Runs a command to its end, with this input.
pub(crate) async fn run(link: &Link, order: ExecOrder, stdin: &[u8]) -> Said {
    let mut exec = link.exec(order).await.unwrap();
    let input = exec.input.clone();
    let stdin = stdin.to_vec();
    let feeder = tokio::spawn(async move {
        for piece in stdin.chunks(32 << 10) {
            let _ = input.send(Frame::Stdin(piece.to_vec().into())).await;
        }
        let _ = input.send(Frame::StdinEnd).await;
    });
    let said = timeout(SOON, hear(&mut exec)).await.expect("the command ends");
    feeder.abort();
    said
}

/// Runs a command into its deadline, a longer one each time, until it got as far as writing its pids
/// into all these files of the home.
pub(crate) async fn run_late(
    house: &House,
    link: &Link,
    order: &ExecOrder,
    files: &[&str],
) -> (Said, Vec<i32>) {
    for timeout_ms in [1500, 6000, 30_000] {
        let mut exec =
            link.exec(ExecOrder { timeout_ms: Some(timeout_ms), ..order.clone() }).await.unwrap();
        let said = timeout(SOON, hear(&mut exec)).await.unwrap();
        let read = |file: &&str| {
            std::fs::read_to_string(house.home().join(file)).ok()?.strip_suffix('\n')?.parse().ok()
        };
        let pids: Vec<i32> = files.iter().filter_map(read).collect();
        if pids.len() == files.len() {
            return (said, pids);
        }
    }
    panic!("the command never got so far");
}

/// Reads frames to the last.
pub(crate) async fn hear(exec: &mut smartbox_link::client::Exec) -> Said {
    let (mut said, mut out, mut err) = (Said::default(), Vec::new(), Vec::new());
    let mut last = false;
    while let Some(frame) = exec.next().await.unwrap() {
        assert!(!last, "a frame after the last: {frame:?}");
        match frame {
            Frame::Stdout(bytes) => out.extend_from_slice(&bytes),
            Frame::Stderr(bytes) => err.extend_from_slice(&bytes),
            Frame::Exit(exit) => (said.exit, last) = (exit, true),
            Frame::Failed(why) => (said.failed, last) = (Some(why), true),
            other => panic!("not a frame of init's: {other:?}"),
        }
    }
    assert!(last, "no last frame");
    said.stdout = String::from_utf8_lossy(&out).into_owned();
    said.stderr = String::from_utf8_lossy(&err).into_owned();
    said
}
