//! The child that becomes init: listeners, cgroups, namespaces, root, user, filter, `execve`.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::process::{Resource, Rlimit};
use rustix::thread::UnshareFlags;
use smartbox_link::inherit::{self, Inherit};

use super::fault::{Doing, fault};
use super::make::{FAILED, READY};
use super::spec::{Fault, Level, Make};
use super::{enter, filter, names, root, sys};

/// Descriptors are parked from here on until they are put in place.
const PARKED: i32 = 100;

/// Becomes init; never returns.
pub(super) fn become_init(order: &Make, parent: UnixStream) -> ! {
    // Out of the way of the numbers that init expects.
    let parked = rustix::io::fcntl_dupfd_cloexec(&parent, PARKED).map(UnixStream::from);
    let mut parent = parked.unwrap_or(parent);
    let Err(fault) = run(order, &mut parent);
    let text = serde_json::to_vec(&fault).unwrap_or_default();
    let mut message = vec![FAILED];
    message.extend(text);
    let told = parent.write_all(&message).is_ok();
    std::process::exit(if told { 1 } else { 2 })
}

fn run(order: &Make, parent: &mut UnixStream) -> Result<std::convert::Infallible, Fault> {
    rustix::process::setsid().doing("leaving the session")?;
    // The box must be able to read the root that we build, however shy the platform is.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    // A sandbox is killed before the platform that looks after it.
    let _ = std::fs::write("/proc/self/oom_score_adj", "200");
    let mut carried = Carried::open(order)?;
    join_all(&order.cgroups.roots)?;
    if order.level != Level::None {
        enter::unshare(UnshareFlags::NEWCGROUP, "making a cgroup namespace")?;
    }
    join_all(&order.cgroups.init)?;
    for (path, text, must) in &order.cgroups.writes {
        match std::fs::write(path, text) {
            Err(e) if *must => return Err(e).doing_to("writing", &path.display()),
            _ => {}
        }
    }
    let document = carried.document(order)?;
    if order.level != Level::None {
        carried.names = isolate(order, parent)?;
    }
    limits(order)?;
    let program = match order.level {
        Level::None => CString::new(order.init.as_os_str().as_bytes()),
        _ => CString::new(root::INIT),
    };
    let program = program.map_err(|e| fault("naming init", e))?;
    let filter = match order.level {
        Level::None => None,
        _ => Some(filter::program().map_err(|e| fault("composing the filter", e))?),
    };
    parent.write_all(&[READY]).doing("asking to begin")?;
    parent.read_exact(&mut [0]).doing("being told to begin")?;
    carried.arrange(document)?;
    rustix::thread::set_no_new_privs(true).doing("refusing new privileges")?;
    if let Some(filter) = filter {
        enter::drop_privileges()?;
        seccompiler::apply_filter(&filter)
            .map_err(|e| fault("installing the system call filter", io::Error::other(e)))?;
    }
    Err(fault("starting init", sys::exec(&program)))
}

fn isolate(order: &Make, parent: &mut UnixStream) -> Result<Option<[OwnedFd; 2]>, Fault> {
    enter::unshare(
        UnshareFlags::NEWNS | UnshareFlags::NEWNET | UnshareFlags::NEWUTS | UnshareFlags::NEWIPC,
        "making mount, network, host name and message namespaces",
    )?;
    // Without the keyring service there is nothing to leave.
    let _ = sys::new_keyring();
    root::build(order)?;
    let any =
        rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::DGRAM, None)
            .doing("making a socket")?;
    sys::loopback_up(any).doing("bringing the loopback interface up")?;
    let names = order.names.then(names::bind).transpose()?;
    rustix::system::sethostname(b"smartbox").doing("setting the host name")?;
    enter::inner_user_namespace(order.level, parent)?;
    Ok(names)
}

fn join_all(files: &[std::path::PathBuf]) -> Result<(), Fault> {
    for file in files {
        std::fs::write(file, "0").doing_to("joining", &file.display())?;
    }
    Ok(())
}

/// Limits are only ever lowered: raising needs a capability that even root may lack.
fn limits(order: &Make) -> Result<(), Fault> {
    let lower = |resource, to: u64| {
        let now = rustix::process::getrlimit(resource);
        let hard = now.maximum.map_or(to, |hard| hard.min(to));
        rustix::process::setrlimit(resource, Rlimit { current: Some(hard), maximum: Some(hard) })
            .doing("lowering a limit")
    };
    lower(Resource::Core, 0)?;
    lower(Resource::Nofile, 65_536)?;
    if order.level != Level::None && order.inherit.file_bytes > 0 {
        lower(Resource::Fsize, order.inherit.file_bytes)?;
    }
    if let Some(most) = order.nproc {
        lower(Resource::Nproc, most)?;
    }
    Ok(())
}

/// What init inherits, open.
struct Carried {
    link: OwnedFd,
    pass: OwnedFd,
    log: OwnedFd,
    past: OwnedFd,
    exits: OwnedFd,
    errors: OwnedFd,
    null: OwnedFd,
    join: Vec<OwnedFd>,
    track: Option<OwnedFd>,
    oom: Option<OwnedFd>,
    lease: Option<OwnedFd>,
    names: Option<[OwnedFd; 2]>,
}

impl Carried {
    fn open(order: &Make) -> Result<Self, Fault> {
        let run = open(&order.box_dir.join("run"), OpenOptions::new().read(true))?;
        let log = order.box_dir.join("log");
        let append = |name: &str, read| {
            let mut how = OpenOptions::new();
            open(&log.join(name), how.append(true).read(read).create(true).mode(0o600))
        };
        let cgroups = &order.cgroups;
        Ok(Self {
            // Listening is this process's own deed, so that whoever connects learns its pid.
            link: listen(&run, "link.sock")?,
            pass: listen(&run, "pass.sock")?,
            log: append("engine.log", true)?,
            past: append("engine.log.1", true)?,
            exits: append("exits.jsonl", false)?,
            errors: append("init.log", false)?,
            names: None,
            null: open(Path::new("/dev/null"), OpenOptions::new().read(true).write(true))?,
            // Opened before the cgroup namespace is left: the kernel judges by the opener.
            join: cgroups
                .engine
                .iter()
                .map(|path| open(path, OpenOptions::new().write(true)))
                .collect::<Result<_, _>>()?,
            track: cgroups
                .track
                .as_ref()
                .map(|path| open(path, OpenOptions::new().read(true)))
                .transpose()?,
            oom: None,
            lease: order
                .lease
                .as_ref()
                .map(|path| open(path, OpenOptions::new().read(true)))
                .transpose()?,
        })
    }

    /// The document for init, with the descriptor numbers that [`Self::arrange`] will give.
    fn document(&mut self, order: &Make) -> Result<OwnedFd, Fault> {
        // It exists only once its controller is on.
        self.oom = order
            .cgroups
            .oom
            .as_ref()
            .and_then(|path| open(path, OpenOptions::new().read(true)).ok());
        let mut next = inherit::FD_LAST + 1;
        let mut number = || {
            next += 1;
            next - 1
        };
        let document = Inherit {
            join_fds: self.join.iter().map(|_| number()).collect(),
            track_fd: self.track.as_ref().map(|_| number()),
            oom_fd: self.oom.as_ref().map(|_| number()),
            lease_fd: self.lease.as_ref().map(|_| number()),
            // They are made in the network namespace, which is not there yet.
            names_fds: order.names.then(|| [number(), number()]),
            file_bytes: if order.level == Level::None { order.inherit.file_bytes } else { 0 },
            ..order.inherit.clone()
        };
        let text =
            serde_json::to_vec(&document).map_err(|e| fault("writing init's document", e))?;
        let memory =
            rustix::fs::memfd_create("smartbox", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
                .doing("making init's document")?;
        let mut file = File::from(memory);
        file.write_all(&text).doing("writing init's document")?;
        rustix::fs::fcntl_add_seals(
            &file,
            SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE,
        )
        .doing("sealing init's document")?;
        rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(0)).doing("rewinding a file")?;
        Ok(file.into())
    }

    /// Puts everything at its number and lets everything else close at `execve`.
    fn arrange(self, document: OwnedFd) -> Result<(), Fault> {
        let mut order = vec![
            (0, self.null.try_clone()),
            (1, Ok(self.null)),
            (2, Ok(self.errors)),
            (inherit::FD_DOCUMENT, Ok(document)),
            (inherit::FD_LINK, Ok(self.link)),
            (inherit::FD_PASS, Ok(self.pass)),
            (inherit::FD_LOG, Ok(self.log)),
            (inherit::FD_EXITS, Ok(self.exits)),
            (inherit::FD_PAST, Ok(self.past)),
        ];
        let more = self.join.into_iter().chain(self.track).chain(self.oom).chain(self.lease);
        let more = more.chain(self.names.into_iter().flatten());
        order.extend((inherit::FD_LAST + 1..).zip(more.map(Ok)));
        let count = i32::try_from(order.len()).unwrap_or(PARKED);
        let mut parked = Vec::new();
        for (number, fd) in order {
            let fd = fd.doing("copying a descriptor")?;
            let high =
                rustix::io::fcntl_dupfd_cloexec(&fd, PARKED).doing("parking a descriptor")?;
            parked.push((number, high));
            // Its low number may be somebody's place: it is not closed here but overwritten.
            let _ = fd.into_raw_fd();
        }
        for (number, fd) in parked {
            sys::place(&fd, number).doing("placing a descriptor")?;
        }
        sys::close_from(count).doing("closing descriptors")
    }
}

fn open(path: &Path, how: &OpenOptions) -> Result<OwnedFd, Fault> {
    how.open(path).map(OwnedFd::from).doing_to("opening", &path.display())
}

/// A listening Unix socket in a directory that only the platform sees.
fn listen(dir: &OwnedFd, name: &str) -> Result<OwnedFd, Fault> {
    // By way of the descriptor, since a socket's path may have 107 bytes only.
    let path = format!("/proc/self/fd/{}/{name}", dir.as_raw_fd());
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            return Err(e).doing_to("removing the old", &name);
        }
        _ => {}
    }
    UnixListener::bind(&path).map(OwnedFd::from).doing_to("listening on", &name)
}
