//! Init's life: everything begins here, and ends here when the platform asks or is gone for good.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tokio::net::{UdpSocket, UnixListener};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::boot::{Fault, Inherited, is_first};
use crate::engine::Supervisor;
use crate::engine::log::Log;
use crate::engine::record::Record;
use crate::fence::Fence;
use crate::process::signal::{Ear, Signals, Word};
use crate::process::{Group, OomCounter, Places, Reaper, Spawner, confine, tree};
use crate::state::State;
use crate::{http, net};

/// The engine's grace when init is asked to end.
const GRACE: Duration = Duration::from_secs(10);
/// How long the box's processes are waited for after they were killed.
const LAST: Duration = Duration::from_secs(5);
/// Processes reaped before the reactor's other work has its turn.
const PASS: usize = 256;

/// Why init ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The platform asked.
    Asked,
    /// The lease is free: who held it is gone.
    Lease,
}

impl End {
    /// The exit code that tells it to the driver.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Asked => 0,
            Self::Lease => 15,
        }
    }
}

/// Serves until the end.
pub(crate) fn live(inherited: Inherited) -> Result<End, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .max_blocking_threads(8)
        .build()
        .map_err(|e| Fault::System("making the reactor", e))?;
    let end = runtime.block_on(serve(inherited));
    // A thread that reads a file for someone is not waited for.
    runtime.shutdown_background();
    end
}

async fn serve(inherited: Inherited) -> Result<End, Fault> {
    let system = |what| move |e| Fault::System(what, e);
    let Inherited {
        document,
        home,
        link,
        pass,
        log,
        past,
        exits,
        joins,
        track,
        oom,
        lease,
        listeners,
        names,
        signals,
    } = inherited;
    let (landlock, reaper) = (confine::landlock(&document.home), Arc::new(Reaper::default()));
    let mut spawner = Spawner {
        reaper: Arc::clone(&reaper),
        track: track.map(Arc::new),
        joins,
        landlock: None,
        file_bytes: document.file_bytes,
        places: Places::new(document.places.clone()),
        id: document.id.clone(),
    };
    let probe = Group::new(&spawner, 'x');
    let cgroups = probe.is_cgroup();
    probe.end(None).await;
    let confined = confine::names(landlock.as_ref(), cgroups);
    spawner.landlock = landlock.map(|landlock| landlock.fd);
    let spawner = Arc::new(spawner);
    let log = Log::new(log, past, document.log_cap).map_err(system("opening the log"))?;
    let (record, oom) = (Record::new(exits), Arc::new(OomCounter::new(oom)));
    let engine = Supervisor::new(Arc::clone(&spawner), log, record, Arc::clone(&oom));
    let (lost, mut lease_end) = mpsc::channel(1);
    if let Some(lease) = lease {
        hold(lease, lost.clone()).map_err(system("watching the lease"))?;
    }
    let state = Arc::new(State {
        fence: Fence::new(document.fence),
        home: home.into(),
        document,
        engine,
        spawner,
        oom,
        execs: Arc::default(),
        began: Instant::now(),
        confined,
    });
    let door = |door| UnixListener::from_std(door).map_err(system("opening a door"));
    tokio::spawn(http::serve(Arc::clone(&state), door(link)?));
    if let Some((datagrams, listener)) = names {
        let datagrams = UdpSocket::from_std(datagrams).map_err(system("opening a door"))?;
        tokio::spawn(net::names::serve(datagrams, listener));
    }
    tokio::spawn(net::pass::serve(Arc::clone(&state), listeners, door(pass)?));
    let mut asks = hear(signals, reaper).map_err(system("reading signals"))?;
    let end = tokio::select! {
        _ = asks.recv() => End::Asked,
        _ = lease_end.recv() => End::Lease,
    };
    drop(lost);
    if end == End::Asked {
        // A frozen engine cannot end; the platform that froze it wants the box gone.
        tokio::select! {
            _ = timeout(GRACE + LAST, state.engine.stop(GRACE)) => {}
            _ = asks.recv() => {}
        }
    }
    kill_all(&state).await;
    Ok(end)
}

/// Reads signals: reaps, and passes on that the platform asked for the end.
fn hear(signals: Signals, reaper: Arc<Reaper>) -> std::io::Result<mpsc::Receiver<()>> {
    let ear: Ear = signals.listen()?;
    let (ask, asks) = mpsc::channel(4);
    tokio::spawn(async move {
        loop {
            match ear.next().await {
                Ok(Word::Reap) => {
                    while reaper.pass(PASS) {
                        tokio::task::yield_now().await;
                    }
                }
                Ok(Word::End) => drop(ask.try_send(())),
                Ok(Word::Nothing) | Err(_) => tokio::task::yield_now().await,
            }
        }
    });
    Ok(asks)
}

/// Kills all processes of the box. PID 1 need not: its end is theirs.
async fn kill_all(state: &State) {
    if is_first() {
        return;
    }
    let until = Instant::now() + LAST;
    loop {
        let reaped = state.spawner.reaper.reaped.notified();
        if !tree::kill_all() || Instant::now() >= until {
            return;
        }
        let _ = timeout(Duration::from_millis(20), reaped).await;
    }
}

/// Waits on a thread of its own until the lease is free.
fn hold(lease: OwnedFd, lost: mpsc::Sender<()>) -> std::io::Result<()> {
    let lease = File::from(lease);
    std::thread::Builder::new().name("lease".into()).spawn(move || {
        // Any other error, too: a box whose lease cannot be watched would outlive its test.
        while flock(lease.as_fd(), FlockOperation::LockExclusive) == Err(Errno::INTR) {}
        let _ = lost.blocking_send(());
    })?;
    Ok(())
}
