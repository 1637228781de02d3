//! Which program in a box made a connection: by its port to a socket, by the socket to whoever holds it.
//!
//! The platform asks the kernel about both from outside. It costs a walk over the box's descriptors, so
//! that it happens beside the connection and for all that came meanwhile at once. A program that is gone
//! by then is not known; one that two share is one of them.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use smartbox_core::BoxFuture;
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::Program;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

use super::Inner;
use super::diag::Diag;

/// Connections that may wait to be looked up; a box that makes more has them unknown.
const WAITING: usize = 1024;
/// Bytes of the kernel's list of connections that are read, and descriptors that are looked at.
const LIST: u64 = 4 << 20;
const DESCRIPTORS: usize = 20_000;

/// What took longer than this is followed by so many times as much rest: a box cannot have the platform
/// search its descriptors without end.
const QUICK: Duration = Duration::from_millis(2);
const REST: u32 = 10;

struct Ask {
    ends: Ends,
    tell: oneshot::Sender<Option<Program>>,
}

/// Both ends of a connection: the program's and ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Ends {
    own: SocketAddr,
    other: SocketAddr,
}

/// Looks callers up, for one listener.
#[derive(Clone)]
pub(super) struct Callers(mpsc::Sender<Ask>);

impl Callers {
    /// In a box. Ends when nobody can ask any more.
    pub(super) fn new(inner: Arc<Inner>, id: SmartboxId, init: i32) -> Self {
        let (asks, mut waiting) = mpsc::channel::<Ask>(WAITING);
        tokio::spawn(async move {
            let mut last = None;
            // Opened by the first that asks: most listeners are never asked about.
            let mut diag = None;
            while let Some(first) = waiting.recv().await {
                let mut batch = vec![first];
                while let Ok(more) = waiting.try_recv() {
                    batch.push(more);
                }
                let diag =
                    diag.get_or_insert_with(|| Diag::within(init).ok().map(Arc::new)).clone();
                let (inner, id) = (inner.clone(), id.clone());
                let began = Instant::now();
                let looked = tokio::task::spawn_blocking(move || {
                    let ends: Vec<Ends> = batch.iter().map(|ask| ask.ends).collect();
                    let sockets = sockets(diag.as_deref(), init, &ends);
                    let found = holders(sockets, last, || inner.engine_pids(&id, init));
                    for ask in batch {
                        let program = found.get(&ask.ends).map(|(_, program)| program.clone());
                        // Whoever asked may have no use for it any more.
                        let _ = ask.tell.send(program);
                    }
                    found.into_values().next().map(|(pid, _)| pid)
                });
                last = looked.await.ok().flatten().or(last);
                let took = began.elapsed();
                if took > QUICK {
                    tokio::time::sleep(took * REST).await;
                }
            }
        });
        Self(asks)
    }

    /// Who made a connection. Nothing is looked up before this is polled.
    pub(super) fn of(&self, stream: &TcpStream) -> BoxFuture<'static, Option<Program>> {
        let ends = stream.peer_addr().and_then(|own| Ok(Ends { own, other: stream.local_addr()? }));
        let asks = self.0.clone();
        Box::pin(async move {
            let (tell, told) = oneshot::channel();
            asks.try_send(Ask { ends: ends.ok()?, tell }).ok()?;
            told.await.ok().flatten()
        })
    }
}

/// The sockets that are the programs' ends, by their inodes.
fn sockets(diag: Option<&Diag>, init: i32, ends: &[Ends]) -> HashMap<u64, Ends> {
    if let Some(diag) = diag {
        let inode = |ends: &Ends| Some((diag.inode(ends.own, ends.other)?, *ends));
        return ends.iter().filter_map(inode).collect();
    }
    let mut sockets = HashMap::new();
    let wanted: HashSet<Ends> = ends.iter().copied().collect();
    // An end of IPv4 is in the list of IPv6 if its program speaks to it by that.
    for list in ["tcp", "tcp6"] {
        if sockets.len() < wanted.len() {
            sockets.extend(listed(&read(&format!("/proc/{init}/net/{list}")), &wanted));
        }
    }
    sockets
}

/// The processes that hold them. `last` is the one that was found last: most often it is the same.
fn holders(
    mut sockets: HashMap<u64, Ends>,
    last: Option<i32>,
    pids: impl FnOnce() -> Vec<i32>,
) -> HashMap<Ends, (i32, Program)> {
    let mut found = HashMap::new();
    let mut left = DESCRIPTORS;
    last.into_iter().for_each(|pid| hold(pid, &mut sockets, &mut left, &mut found));
    if !sockets.is_empty() {
        pids().into_iter().for_each(|pid| hold(pid, &mut sockets, &mut left, &mut found));
    }
    found
}

fn read(path: &str) -> String {
    let mut text = String::new();
    if let Ok(file) = fs::File::open(path) {
        // What was read before an error is whole lines but for the last.
        let _ = file.take(LIST).read_to_string(&mut text);
    }
    text
}

/// What is wanted of the kernel's list.
fn listed<'t>(text: &'t str, wanted: &'t HashSet<Ends>) -> impl Iterator<Item = (u64, Ends)> + 't {
    text.lines().skip(1).filter_map(move |line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let ends = Ends { own: end(fields.next()?)?, other: end(fields.next()?)? };
        let inode = fields.nth(6)?.parse().ok()?;
        (inode != 0 && wanted.contains(&ends)).then_some((inode, ends))
    })
}

/// An address as the kernel prints it: words of four bytes in the machine's own order, a colon, the port.
fn end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let word = |at: usize| {
        let digits = address.get(at * 8..at * 8 + 8)?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    };
    let ip = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let mut bytes = [0; 16];
            for (at, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(at)?);
            }
            IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

/// Moves what a process holds from `sockets` to `found`.
fn hold(
    pid: i32,
    sockets: &mut HashMap<u64, Ends>,
    left: &mut usize,
    found: &mut HashMap<Ends, (i32, Program)>,
) {
    if sockets.is_empty() || *left == 0 {
        return;
    }
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return };
    let mut program = None;
    for entry in descriptors.flatten() {
        if sockets.is_empty() || *left == 0 {
            return;
        }
        *left -= 1;
        let Some(inode) = fs::read_link(entry.path()).ok().and_then(|to| socket(&to)) else {
            continue;
        };
        let Some(ends) = sockets.remove(&inode) else { continue };
        let program = program.get_or_insert_with(|| name(pid));
        if let Some(program) = program {
            found.insert(ends, (pid, program.clone()));
        }
    }
}

/// What Node calls its first thread, and so the process.
const NODE: &[u8] = b"MainThread\n";

/// The name that a process has given itself, or that of its file where the first says nothing.
fn name(pid: i32) -> Option<Program> {
    let given = fs::read(format!("/proc/{pid}/comm")).ok()?;
    let file = || fs::read_link(format!("/proc/{pid}/exe")).ok();
    match (given == NODE).then(file).flatten() {
        Some(file) => Program::new(file.file_name()?.as_bytes()),
        None => Program::new(&given),
    }
}

/// The inode in `socket:[123]`.
fn socket(link: &std::path::Path) -> Option<u64> {
    let text = str::from_utf8(link.as_os_str().as_bytes()).ok()?;
    text.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_read_as_the_kernel_prints_them() {
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        if cfg!(target_endian = "little") {
            assert_eq!(end("0100007F:0C38"), Some(at("127.0.0.1:3128")));
            assert_eq!(end("00000000000000000000000001000000:0C38"), Some(at("[::1]:3128")));
            let mapped = "0000000000000000FFFF00000100007F:0C38";
            assert_eq!(end(mapped), Some(at("127.0.0.1:3128")));
        }
        for bad in ["", ":", "0100007F", "0100007:0C38", "é100007F:0C38", "0100007F:10C38"] {
            assert_eq!(end(bad), None, "{bad}");
        }
    }

    /// A process finds itself as it would find another, by either road.
    #[test]
    fn a_connection_leads_to_the_process_that_made_it() {
        let own = i32::try_from(std::process::id()).unwrap();
        let name = fs::read(format!("/proc/{own}/comm")).unwrap();
        let this = (own, Program::new(&name).unwrap());
        let diag = Diag::within(own).ok();
        for bound in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = std::net::TcpListener::bind(bound) else { continue };
            let other = listener.local_addr().unwrap();
            let stream = std::net::TcpStream::connect(other).unwrap();
            let ends = Ends { own: stream.local_addr().unwrap(), other };
            for diag in [None, diag.as_ref()] {
                let found = || sockets(diag, own, &[ends]);
                assert_eq!(found().len(), 1, "{bound}");
                for last in [None, Some(own), Some(1)] {
                    assert_eq!(holders(found(), last, || vec![own])[&ends], this, "{bound}");
                }
                assert!(holders(found(), None, Vec::new).is_empty());
            }
            drop(stream);
            for diag in [None, diag.as_ref()] {
                assert!(sockets(diag, own, &[ends]).is_empty(), "it is gone");
            }
        }
    }

    #[test]
    fn a_node_is_named_after_its_file() {
        let script = "require('net').connect(+process.argv[1], '127.0.0.1').on('error', () => {})";
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let other = listener.local_addr().unwrap();
        let command = std::process::Command::new("node")
            .args(["-e", script, &other.port().to_string()])
            .spawn();
        let mut node = command.expect("node is installed");
        let (stream, own) = listener.accept().unwrap();
        let pid = i32::try_from(node.id()).unwrap();
        let found = holders(sockets(None, pid, &[Ends { own, other }]), None, || vec![pid]);
        drop(stream);
        node.wait().unwrap();
        let (_, program) = found.into_values().next().expect("it is found");
        assert_eq!(program.as_str(), "node");
    }
}
