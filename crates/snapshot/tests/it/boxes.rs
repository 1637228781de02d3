//! A box that runs: a process that can be held still.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use smartbox_core::BoxFuture;
use smartbox_core::snapshot::port::{Cause, Still};

use crate::world::{BOX, World};

/// A process of the box's user.
pub(crate) struct Running {
    child: Mutex<Child>,
    /// The last number that it said.
    said: Arc<AtomicU64>,
    listener: Option<JoinHandle<()>>,
    pub(crate) holds: AtomicU64,
    pub(crate) releases: AtomicU64,
}

impl Running {
    /// Starts one and waits for its first word.
    pub(crate) fn new(world: &World, deed: &[&str]) -> Arc<Self> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_smartbox-snapshot-writer"))
            .arg(BOX.to_string())
            .arg(world.home())
            .args(deed)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = Arc::new(AtomicU64::new(0));
        assert!(lines.next().is_some(), "it says that it has begun");
        let told = said.clone();
        let listener = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                told.store(line.parse().unwrap(), Ordering::SeqCst);
            }
        });
        let (holds, releases) = (AtomicU64::new(0), AtomicU64::new(0));
        let (child, listener) = (Mutex::new(child), Some(listener));
        Arc::new(Self { child, said, listener, holds, releases })
    }

    /// The last number that it acknowledged.
    pub(crate) fn said(&self) -> u64 {
        self.said.load(Ordering::SeqCst)
    }

    /// Waits until it has acknowledged more than `last`.
    pub(crate) fn after(&self, last: u64) -> u64 {
        while self.said() <= last {
            assert!(self.child.lock().unwrap().try_wait().unwrap().is_none(), "it goes on");
            std::thread::yield_now();
        }
        self.said()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child.lock().unwrap())
    }

    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Still for Running {
    fn hold(&self) -> BoxFuture<'_, Result<(), Cause>> {
        Box::pin(async {
            self.holds.fetch_add(1, Ordering::SeqCst);
            let pid = self.pid();
            kill_process(pid, Signal::STOP)?;
            // The kernel says when it has stopped.
            waitid(WaitId::Pid(pid), WaitIdOptions::STOPPED)?;
            Ok(())
        })
    }

    fn release(&self) -> BoxFuture<'_, Result<(), Cause>> {
        Box::pin(async {
            self.releases.fetch_add(1, Ordering::SeqCst);
            kill_process(self.pid(), Signal::CONT)?;
            Ok(())
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        // It may have been killed before.
        let _ = child.kill();
        let _ = child.wait();
        if let Some(listener) = self.listener.take() {
            listener.join().unwrap();
        }
    }
}

/// A box that does what a test says when it is held and when it is let go.
#[derive(Default)]
pub(crate) struct Scripted {
    pub(crate) hold: Option<Deed>,
    pub(crate) release: Option<Deed>,
    pub(crate) holds: AtomicU64,
    pub(crate) releases: AtomicU64,
}

/// Is told how often it was called before.
pub(crate) type Deed = Box<dyn Fn(u64) -> Result<(), Cause> + Send + Sync>;

impl Scripted {
    /// How often it was held, and let go.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.holds.load(Ordering::SeqCst), self.releases.load(Ordering::SeqCst))
    }
}

impl Still for Scripted {
    fn hold(&self) -> BoxFuture<'_, Result<(), Cause>> {
        Box::pin(async {
            let before = self.holds.fetch_add(1, Ordering::SeqCst);
            self.hold.as_ref().map_or(Ok(()), |deed| deed(before))
        })
    }

    fn release(&self) -> BoxFuture<'_, Result<(), Cause>> {
        Box::pin(async {
            let before = self.releases.fetch_add(1, Ordering::SeqCst);
            self.release.as_ref().map_or(Ok(()), |deed| deed(before))
        })
    }
}
