//! The native driver: Linux namespaces, cgroups and a filter by direct system calls. No daemon, no
//! external program.
//!
//! It remembers nothing that it could not find again: a sandbox is whoever listens on the box's
//! link socket and says the right id and fence, its processes are those of its cgroups.

mod advise;
mod caller;
mod config;
mod detect;
mod diag;
mod dial;
mod dirs;
mod disk;
mod error;
mod files;
mod forget;
mod freeze;
mod gauge;
mod helper;
mod incoming;
mod init_file;
mod lock;
mod log;
mod observe;
mod page_out;
mod peer;
mod place;
mod procs;
mod remove;
mod start;
mod swap;
mod sys;
mod touched;
mod turns;
mod unboxed;
mod usage;
mod watch;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::port::{Conn, Incoming, Kept, Runtime, RuntimeError, Target};
use smartbox_core::sandbox::{Capabilities, LogPage, Observed, SandboxSpec, Shift};
use smartbox_core::{BoxFuture, BoxStream};

pub use config::{NativeConfig, Profile};
pub use init_file::INIT;
pub(crate) use procs::kill_pid;

use crate::cgroup::Cgroups;
use crate::nest::spec::Level;
use dirs::BoxDir;
use error::broken;

/// The driver. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Native(Arc<Inner>);

struct Inner {
    config: NativeConfig,
    level: Level,
    /// Init's executable on the host.
    init: PathBuf,
    cgroups: Option<Cgroups>,
    capabilities: Capabilities,
    /// One mutation at a time per box.
    locks: Mutex<HashMap<SmartboxId, Arc<tokio::sync::Mutex<()>>>>,
    /// The fences with which this control plane has started boxes.
    known: Mutex<HashMap<SmartboxId, u64>>,
    watch: Mutex<HashMap<SmartboxId, watch::Watched>>,
    /// What boxes touched between a thaw and the next paging out.
    touched: Mutex<HashMap<SmartboxId, Arc<touched::Touched>>>,
    /// What homes held when files were last written to them.
    measured: Mutex<HashMap<SmartboxId, files::Measured>>,
    /// What homes that are not watched held, and when that was measured.
    homes: Mutex<HashMap<SmartboxId, (std::time::Instant, u64)>>,
    /// Boxes on whose stage another home is being put together by this process.
    staged: Mutex<HashSet<SmartboxId>>,
}

impl Native {
    /// Detects what this machine can do and prepares the data directory. Must be called within a
    /// tokio runtime. [`RuntimeError::Unsupported`] says what is missing and what to do.
    pub async fn open(config: NativeConfig) -> Result<Self, RuntimeError> {
        let doing = "preparing the data directory";
        let found = detect::detect(&config).await?;
        let data_dir = config.data_dir.clone();
        let init = error::blocking(doing, move || {
            for name in ["boxes", "stage"] {
                dirs::private_dir(&data_dir.join(name))?;
            }
            forget::sweep(&data_dir.join("boxes"));
            place::sweep(&data_dir);
            init_file::install(&data_dir)
        })
        .await?;
        let native = Self(Arc::new(Inner {
            config,
            level: found.level,
            init,
            cgroups: found.cgroups,
            capabilities: found.capabilities,
            locks: Mutex::default(),
            known: Mutex::default(),
            watch: Mutex::default(),
            touched: Mutex::default(),
            measured: Mutex::default(),
            homes: Mutex::default(),
            staged: Mutex::default(),
        }));
        watch::begin(&native.0);
        let inner = native.0.clone();
        error::blocking(doing, move || {
            files::sweep(&inner);
            Ok(())
        })
        .await?;
        Ok(native)
    }

    /// What this machine can do, without preparing or keeping anything.
    /// [`RuntimeError::Unsupported`] says what is missing and what to do.
    pub async fn detect(config: &NativeConfig) -> Result<Capabilities, RuntimeError> {
        Ok(detect::detect(config).await?.capabilities)
    }

    /// Where the home of a box lies on the host.
    pub fn home(&self, id: &SmartboxId) -> PathBuf {
        self.0.dir(id).home()
    }

    /// The host uid and gid of a box in this slot, if boxes have uids of their own here.
    pub fn host_uid(&self, slot: u32) -> Option<u32> {
        self.0.owner(slot).map(|(uid, _)| uid)
    }

    /// Changes the processor quota of a box that is there; 0 takes it away.
    pub fn set_cpu(&self, id: &SmartboxId, millis: u32) -> Result<(), RuntimeError> {
        match &self.0.cgroups {
            Some(cgroups) => {
                cgroups.set_cpu(id, millis).map_err(|e| broken("changing the processor quota", e))
            }
            None => Ok(()),
        }
    }
}

impl Inner {
    fn dir(&self, id: &SmartboxId) -> BoxDir {
        BoxDir::new(&self.config.data_dir, id)
    }

    fn owner(&self, slot: u32) -> Option<(u32, u32)> {
        let uid = self.config.uid_base.saturating_add(slot);
        (self.level == Level::Full).then_some((uid, uid))
    }

    fn lock(&self, id: &SmartboxId) -> Arc<tokio::sync::Mutex<()>> {
        guard(&self.locks).entry(id.clone()).or_default().clone()
    }

    /// The fence to act with: the one we started the box with, or the one it was found with.
    fn fence(&self, id: &SmartboxId) -> Result<u64, RuntimeError> {
        let found = self.dir(id).read_meta().map(|meta| meta.fence);
        let known = guard(&self.known).get(id).copied();
        match (known, found) {
            (Some(ours), Some(theirs)) if theirs > ours => {
                Err(RuntimeError::Fenced { id: id.clone(), ours, theirs })
            }
            (_, Some(found)) => Ok(found),
            (known, None) => Ok(known.unwrap_or(0)),
        }
    }

    /// The engine's processes.
    fn engine_pids(&self, id: &SmartboxId, init: i32) -> Vec<i32> {
        match &self.cgroups {
            Some(cgroups) => cgroups.engine_pids(id),
            None => procs::descendants(init).into_iter().map(|(pid, _)| pid).collect(),
        }
    }
}

/// Locks. What a panicking holder left is whole: no holder leaves a map half changed.
fn guard<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Runtime for Native {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities.clone()
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Observed>, RuntimeError>> {
        Box::pin(observe::list(&self.0))
    }

    fn observe(&self, id: SmartboxId) -> BoxFuture<'_, Result<Observed, RuntimeError>> {
        Box::pin(async move { observe::observe(&self.0, &id).await })
    }

    fn start(&self, spec: SandboxSpec) -> BoxFuture<'_, Result<(), RuntimeError>> {
        let inner = self.0.clone();
        // To its end even if the caller goes away, so that nothing stays half-made.
        finished(async move { start::start(&inner, &spec).await })
    }

    fn shift(&self, id: SmartboxId, to: Shift) -> BoxFuture<'_, Result<(), RuntimeError>> {
        let inner = self.0.clone();
        finished(async move {
            let lock = inner.lock(&id);
            let _one = lock.lock().await;
            match to {
                Shift::Freeze { page_out } => freeze::freeze(&inner, &id, page_out).await,
                Shift::Thaw => freeze::thaw(&inner, &id).await,
                Shift::Remove => {
                    // The fence is read where nobody can write a higher one before the end.
                    let _across = lock::if_there(&inner.dir(&id)).await?;
                    inner.fence(&id)?;
                    remove::remove(&inner, &id).await
                }
            }
        })
    }

    fn dial(&self, id: SmartboxId, target: Target) -> BoxFuture<'_, Result<Conn, RuntimeError>> {
        Box::pin(async move { dial::dial(&self.0, &id, target).await })
    }

    fn incoming(
        &self,
        id: SmartboxId,
        port: u16,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Incoming>, RuntimeError>> {
        Box::pin(async move { incoming::incoming(&self.0, &id, port).await })
    }

    fn kept(&self, id: SmartboxId, what: Kept) -> BoxFuture<'_, Result<LogPage, RuntimeError>> {
        let inner = self.0.clone();
        Box::pin(async move {
            match what {
                Kept::Log { from } => log::page(&inner, &id, log::From::Offset(from)).await,
                Kept::LogTail { bytes } => log::page(&inner, &id, log::From::Tail(bytes)).await,
                Kept::Forget => forget::forget(&inner, &id).await,
            }
        })
    }
}

fn finished<T: Send + 'static>(
    work: impl Future<Output = Result<T, RuntimeError>> + Send + 'static,
) -> BoxFuture<'static, Result<T, RuntimeError>> {
    let task = tokio::spawn(work);
    Box::pin(async move {
        task.await
            .unwrap_or_else(|e| Err(broken("acting on the sandbox", std::io::Error::other(e))))
    })
}
