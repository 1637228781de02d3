//! Takes over what init inherits, and closes init to everything else of the same user.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixListener;

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use rustix::net::AddressFamily;
use rustix::net::sockopt::{socket_acceptconn, socket_domain};
use rustix::process::{DumpableBehavior, set_child_subreaper, set_dumpable_behavior};
use smartbox_link::inherit::{FD_DOCUMENT, FD_EXITS, FD_LINK, FD_LOG, FD_PASS, FD_PAST, Inherit};

use crate::net::listen::{self, Listeners};
use crate::net::names;
use crate::process::signal::{self, Signals};

/// The longest document, in bytes.
const MAX_DOCUMENT: usize = 1 << 20;

/// Why init cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The document is not understood.
    #[error("the document on descriptor 3 is not understood: {0}")]
    Document(String),
    /// A descriptor is missing or of the wrong kind.
    #[error("descriptor {0} is {1}")]
    Descriptor(i32, &'static str),
    /// A listener cannot be bound.
    #[error("cannot listen on port {0} of the loopback: {1}")]
    Listener(u16, std::io::Error),
    /// The home cannot be opened.
    #[error("cannot open the home: {0}")]
    Home(std::io::Error),
    /// A system call that init cannot do without failed.
    #[error("{0}: {1}")]
    System(&'static str, std::io::Error),
}

impl Fault {
    /// The exit code that tells it to the driver.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Document(_) => 10,
            Self::Descriptor(..) => 11,
            Self::Listener(..) => 12,
            Self::Home(_) => 13,
            Self::System(..) => 14,
        }
    }
}

/// What init inherited, checked.
pub(crate) struct Inherited {
    pub(crate) document: Inherit,
    pub(crate) home: OwnedFd,
    pub(crate) link: UnixListener,
    pub(crate) pass: UnixListener,
    pub(crate) log: File,
    pub(crate) past: File,
    pub(crate) exits: File,
    pub(crate) joins: Vec<OwnedFd>,
    pub(crate) track: Option<OwnedFd>,
    pub(crate) oom: Option<OwnedFd>,
    pub(crate) lease: Option<OwnedFd>,
    pub(crate) listeners: Listeners,
    /// Where programs ask for names, in datagrams, and where the platform answers.
    pub(crate) names: Option<(UdpSocket, SocketAddr)>,
    pub(crate) signals: Signals,
}

/// Takes everything over. Must run before there is a second thread, since it blocks signals.
pub(crate) fn inherit() -> Result<Inherited, Fault> {
    let system = |what| move |e: rustix::io::Errno| Fault::System(what, e.into());
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(system("closing /proc to others"))?;
    close_on_exec();
    if !is_first() {
        set_child_subreaper(Some(rustix::process::getpid()))
            .map_err(system("becoming a reaper"))?;
    }
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let mut taken = BTreeSet::new();
    let document = document(take(FD_DOCUMENT, &mut taken)?)?;
    let (link, pass) = (take(FD_LINK, &mut taken)?, take(FD_PASS, &mut taken)?);
    let (log, exits) = (take(FD_LOG, &mut taken)?, take(FD_EXITS, &mut taken)?);
    let past = take(FD_PAST, &mut taken)?;
    let mut optional = |fd: Option<i32>| fd.map(|fd| take(fd, &mut taken)).transpose();
    let (track, oom) = (optional(document.track_fd)?, optional(document.oom_fd)?);
    let lease = optional(document.lease_fd)?;
    let mut names = None;
    if let Some([listener, datagrams]) = document.names_fds {
        names = Some((listener, take(listener, &mut taken)?, take(datagrams, &mut taken)?));
    }
    let joins =
        document.join_fds.iter().map(|&fd| take(fd, &mut taken)).collect::<Result<_, _>>()?;
    // From here on init opens descriptors of its own, with numbers that were free.
    let signals = signal::take().map_err(|e| Fault::System("taking signals", e))?;
    let home = std::fs::OpenOptions::new();
    let home = open_directory(home, &document.home).map_err(Fault::Home)?;
    let mut listeners = listen::bind(&document.listeners)?;
    let names = names
        .map(|(number, listener, datagrams)| {
            names::take(listener, datagrams, &mut listeners)
                .map_err(|_| Fault::Descriptor(number, "not of a name service"))
        })
        .transpose()?;
    Ok(Inherited {
        link: unix_listener(link, FD_LINK)?,
        pass: unix_listener(pass, FD_PASS)?,
        log: log.into(),
        past: past.into(),
        exits: exits.into(),
        document,
        home,
        joins,
        track,
        oom,
        lease,
        listeners,
        names,
        signals,
    })
}

/// Whether init is PID 1 of its namespace.
pub(crate) fn is_first() -> bool {
    rustix::process::getpid().is_init()
}

fn open_directory(mut options: std::fs::OpenOptions, path: &str) -> std::io::Result<OwnedFd> {
    use std::os::unix::fs::OpenOptionsExt;
    if !path.starts_with('/') {
        return Err(std::io::Error::other("its path is not absolute"));
    }
    Ok(options.read(true).custom_flags(libc::O_DIRECTORY).open(path)?.into())
}

fn document(fd: OwnedFd) -> Result<Inherit, Fault> {
    let file = File::from(fd);
    let mut bytes = vec![0; MAX_DOCUMENT + 1];
    let mut len = 0;
    while len < bytes.len() {
        match file.read_at(&mut bytes[len..], len as u64) {
            Ok(0) => break,
            Ok(n) => len += n,
            Err(e) => return Err(Fault::Document(e.to_string())),
        }
    }
    if len > MAX_DOCUMENT {
        return Err(Fault::Document("it is too long".into()));
    }
    serde_json::from_slice(&bytes[..len]).map_err(|e| Fault::Document(e.to_string()))
}

/// Takes a descriptor over, once.
#[expect(unsafe_code, reason = "inherited descriptors are numbers until someone owns them")]
fn take(fd: i32, taken: &mut BTreeSet<i32>) -> Result<OwnedFd, Fault> {
    if fd < FD_DOCUMENT || !taken.insert(fd) {
        return Err(Fault::Descriptor(fd, "named twice or reserved"));
    }
    // SAFETY: borrowed only to ask whether it is open; `fd` is not -1.
    let flags = fcntl_getfd(unsafe { BorrowedFd::borrow_raw(fd) });
    if !flags.is_ok_and(|flags| flags.contains(FdFlags::CLOEXEC)) {
        return Err(Fault::Descriptor(fd, "not open"));
    }
    // SAFETY: it is open, `taken` sees to it that it gets one owner, and init has opened nothing
    // of its own yet.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn unix_listener(fd: OwnedFd, number: i32) -> Result<UnixListener, Fault> {
    let listens = socket_acceptconn(&fd).unwrap_or(false);
    if !listens || socket_domain(&fd).ok() != Some(AddressFamily::UNIX) {
        return Err(Fault::Descriptor(number, "not a listening Unix socket"));
    }
    let listener = UnixListener::from(fd);
    listener.set_nonblocking(true).map_err(|e| Fault::System("preparing a listener", e))?;
    Ok(listener)
}

/// Makes every descriptor above standard error close-on-exec.
#[expect(unsafe_code, reason = "close_range has no safe wrapper")]
fn close_on_exec() {
    // SAFETY: the call takes numbers only and, with this flag, closes nothing now.
    let done =
        unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if done == 0 {
        return;
    }
    for fd in 3..4096 {
        // SAFETY: borrowed only to set a flag; a number that is not open gives EBADF.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        if fcntl_getfd(fd).is_ok() {
            let _ = fcntl_setfd(fd.as_fd(), FdFlags::CLOEXEC);
        }
    }
}
