//! The simulated driver: sandboxes in memory, with faults on demand. It isolates nothing.
//!
//! It keeps every promise of the port: fences, a home that outlives its sandbox, connections that wait
//! while the box is frozen, a link that the ordinary client speaks. What an engine would answer on its
//! ports is given as a function.

mod exec;
mod faults;
mod home;
mod link;
mod pipe;
mod place;
mod sandbox;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures_util::{StreamExt, stream};
use smartbox_core::id::SmartboxId;
use smartbox_core::machine::port::Gauges;
use smartbox_core::machine::{HomeUse, Machine};
use smartbox_core::sandbox::port::{Conn, Incoming, Kept, Runtime, RuntimeError, Target};
use smartbox_core::sandbox::{
    Capabilities, EngineProcess, Feature, LogPage, Memory, Observed, Phase, Program, SandboxSpec,
    Shift,
};
use smartbox_core::{BoxFuture, BoxStream};

pub use faults::{Call, Faults};
use home::Home;
use sandbox::Sandbox;

/// A connection to a simulated engine's port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// Whose engine.
    pub id: SmartboxId,
    /// Which port.
    pub port: u16,
    /// The sandbox's fence and the engine's starts in it: another pair is another process.
    pub process: (u64, u32),
}

/// What the engines answer on their ports.
pub type Serve = Arc<dyn Fn(Visit, Conn) -> BoxFuture<'static, ()> + Send + Sync>;

/// Sandboxes in memory.
pub struct Sim {
    serve: Serve,
    faults: Faults,
    boxes: Mutex<HashMap<SmartboxId, Cell>>,
    gauges: Mutex<(Machine, HomeUse)>,
    /// Where homes are laid out for those who want them as directories, once somebody does.
    laid_out: OnceLock<tempfile::TempDir>,
}

/// What there is of one box.
#[derive(Default)]
struct Cell {
    home: Home,
    log: Arc<Mutex<Vec<u8>>>,
    sandbox: Option<Arc<Sandbox>>,
}

impl Sim {
    /// A driver without boxes, whose engines answer by `serve`.
    pub fn new(serve: Serve) -> Arc<Self> {
        Arc::new(Self {
            serve,
            faults: Faults::default(),
            boxes: Mutex::default(),
            gauges: Mutex::default(),
            laid_out: OnceLock::new(),
        })
    }

    /// The faults to come.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Ends the engine's process as a crash does; init starts another.
    pub fn crash_engine(&self, id: &SmartboxId) {
        if let Some(sandbox) = self.sandbox(id) {
            sandbox.crash(false);
        }
    }

    /// Ends the engine's process as the kernel does when its cgroup is out of memory; init starts another.
    pub fn starve_engine(&self, id: &SmartboxId) {
        if let Some(sandbox) = self.sandbox(id) {
            sandbox.crash(true);
        }
    }

    /// What the machine says of itself from now on.
    pub fn set_machine(&self, machine: Machine) {
        self.gauges().0 = machine;
    }

    /// What every home holds from now on.
    pub fn set_homes(&self, home: HomeUse) {
        self.gauges().1 = home;
    }

    fn gauges(&self) -> MutexGuard<'_, (Machine, HomeUse)> {
        self.gauges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends, for good and with this exit code, every engine whose file at `path` has `word` in it, as an engine
    /// does that refuses its configuration. Says whether there was one.
    pub fn end_engines_configured_with(&self, path: &str, word: &str, code: i32) -> bool {
        let sandboxes: Vec<_> =
            self.boxes().values().filter_map(|cell| cell.sandbox.clone()).collect();
        let refusing = sandboxes.iter().filter(|sandbox| {
            let files = sandbox.home.lock().unwrap_or_else(PoisonError::into_inner);
            files.get(path).is_some_and(|bytes| String::from_utf8_lossy(&bytes).contains(word))
        });
        refusing.map(|sandbox| sandbox.stop(code)).count() > 0
    }

    /// Ends the whole sandbox, as killing init does.
    pub fn kill(&self, id: &SmartboxId) {
        if let Some(sandbox) = self.boxes().get_mut(id).and_then(|cell| cell.sandbox.take()) {
            sandbox.end();
        }
    }

    /// A connection that something inside makes to one of the sandbox's listeners.
    pub fn call_out(&self, id: &SmartboxId, port: u16) -> Option<Conn> {
        self.sandbox(id)?.call_out(port)
    }

    /// A file of a box's home.
    pub fn file(&self, id: &SmartboxId, path: &str) -> Option<Vec<u8>> {
        let home = self.boxes().get(id)?.home.clone();
        let files = home.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(path).map(|bytes| bytes.to_vec())
    }

    /// How often this program was begun as a command in the present sandbox.
    pub fn commands(&self, id: &SmartboxId, program: &str) -> usize {
        let Some(sandbox) = self.sandbox(id) else { return 0 };
        let begun = sandbox.commands.lock().unwrap_or_else(PoisonError::into_inner);
        begun.iter().filter(|begun| *begun == program).count()
    }

    /// Puts a file into a box's home, or takes it away.
    pub fn put_file(&self, id: &SmartboxId, path: &str, bytes: Option<&[u8]>) {
        let home = self.boxes().entry(id.clone()).or_default().home.clone();
        let mut files = home.lock().unwrap_or_else(PoisonError::into_inner);
        match bytes {
            Some(bytes) => files.put(path, bytes.to_vec().into(), None),
            None => files.forget(path),
        }
    }

    /// Loses a box's home, as a disk does.
    pub fn lose_home(&self, id: &SmartboxId) {
        if let Some(cell) = self.boxes().get(id) {
            *cell.home.lock().unwrap_or_else(PoisonError::into_inner) = home::Files::default();
        }
    }

    /// Writes to a box's engine log, as its engine would.
    pub fn log(&self, id: &SmartboxId, line: &str) {
        if let Some(cell) = self.boxes().get(id) {
            let mut log = cell.log.lock().unwrap_or_else(PoisonError::into_inner);
            log.extend_from_slice(line.as_bytes());
            log.push(b'\n');
        }
    }

    fn sandbox(&self, id: &SmartboxId) -> Option<Arc<Sandbox>> {
        self.boxes().get(id)?.sandbox.clone()
    }

    fn present(&self, id: &SmartboxId) -> Result<Arc<Sandbox>, RuntimeError> {
        self.sandbox(id).ok_or_else(|| RuntimeError::Absent(id.clone()))
    }

    fn boxes(&self) -> MutexGuard<'_, HashMap<SmartboxId, Cell>> {
        self.boxes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn observed(id: &SmartboxId, sandbox: Option<&Sandbox>) -> Observed {
    let absent = || Observed {
        id: id.clone(),
        phase: Phase::Absent,
        fence: 0,
        engine: EngineProcess::Unknown,
        memory: Memory::default(),
    };
    sandbox.map_or_else(absent, |sandbox| Observed {
        id: id.clone(),
        phase: if sandbox.is_frozen() { Phase::Frozen } else { Phase::Up },
        fence: sandbox.fence(),
        engine: sandbox.engine(),
        memory: Memory::default(),
    })
}

impl Gauges for Sim {
    fn machine(&self) -> Machine {
        self.gauges().0
    }

    fn home(&self, _: SmartboxId) -> BoxFuture<'_, Result<HomeUse, RuntimeError>> {
        Box::pin(async { Ok(self.gauges().1) })
    }
}

impl Runtime for Sim {
    fn capabilities(&self) -> Capabilities {
        let feature = Feature { on: false, note: "the simulated driver isolates nothing".into() };
        Capabilities {
            driver: "sim".into(),
            profile: "simulated".into(),
            features: [("isolation".into(), feature)].into(),
        }
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<Observed>, RuntimeError>> {
        Box::pin(async {
            self.faults.before(Call::List).await?;
            let boxes = self.boxes();
            Ok(boxes
                .iter()
                .filter_map(|(id, cell)| Some(observed(id, Some(cell.sandbox.as_ref()?))))
                .collect())
        })
    }

    fn observe(&self, id: SmartboxId) -> BoxFuture<'_, Result<Observed, RuntimeError>> {
        Box::pin(async move {
            self.faults.before(Call::Observe).await?;
            Ok(observed(&id, self.sandbox(&id).as_deref()))
        })
    }

    fn start(&self, spec: SandboxSpec) -> BoxFuture<'_, Result<(), RuntimeError>> {
        Box::pin(async move {
            self.faults.before(Call::Start).await?;
            let mut boxes = self.boxes();
            let cell = boxes.entry(spec.id.clone()).or_default();
            if let Some(old) = &cell.sandbox {
                let (ours, theirs) = (spec.fence, old.fence());
                match theirs.cmp(&ours) {
                    std::cmp::Ordering::Equal => return Ok(()),
                    std::cmp::Ordering::Greater => {
                        return Err(RuntimeError::Fenced { id: spec.id, ours, theirs });
                    }
                    std::cmp::Ordering::Less => old.end(),
                }
            }
            cell.home.lock().unwrap_or_else(PoisonError::into_inner).make();
            cell.sandbox = Some(Sandbox::new(&spec, cell.home.clone(), self.serve.clone()));
            Ok(())
        })
    }

    fn shift(&self, id: SmartboxId, to: Shift) -> BoxFuture<'_, Result<(), RuntimeError>> {
        Box::pin(async move {
            self.faults.before(Call::Shift).await?;
            match to {
                Shift::Freeze { .. } => self.present(&id)?.freeze(true),
                Shift::Thaw => self.present(&id)?.freeze(false),
                Shift::Remove => self.kill(&id),
            }
            Ok(())
        })
    }

    fn dial(&self, id: SmartboxId, target: Target) -> BoxFuture<'_, Result<Conn, RuntimeError>> {
        Box::pin(async move {
            self.faults.before(Call::Dial).await?;
            let sandbox = self.present(&id)?;
            match target {
                Target::Link => Ok(link::connect(sandbox)),
                Target::Port(port) => sandbox.visit(port).ok_or(RuntimeError::Refused { id, port }),
            }
        })
    }

    fn incoming(
        &self,
        id: SmartboxId,
        port: u16,
    ) -> BoxFuture<'_, Result<BoxStream<'static, Incoming>, RuntimeError>> {
        Box::pin(async move {
            self.faults.before(Call::Incoming).await?;
            let sandbox = self.present(&id)?;
            if !sandbox.listens(port) {
                return Err(RuntimeError::Refused { id, port });
            }
            let calls = stream::unfold(sandbox, move |sandbox| async move {
                let conn = sandbox.next_call(port).await?;
                let program = Box::pin(std::future::ready(Program::new(b"sim")));
                Some((Incoming { conn, program }, sandbox))
            });
            Ok(calls.boxed())
        })
    }

    fn kept(&self, id: SmartboxId, what: Kept) -> BoxFuture<'_, Result<LogPage, RuntimeError>> {
        Box::pin(async move {
            self.faults.before(Call::Kept).await?;
            let mut boxes = self.boxes();
            if what == Kept::Forget {
                if boxes.get(&id).is_some_and(|cell| cell.sandbox.is_some()) {
                    return Err(RuntimeError::Broken {
                        doing: "forgetting the box",
                        source: "its sandbox is still there".into(),
                    });
                }
                boxes.remove(&id);
                return Ok(LogPage::default());
            }
            let log = boxes.entry(id).or_default().log.clone();
            let log = log.lock().unwrap_or_else(PoisonError::into_inner);
            let from = match what {
                Kept::Log { from } => {
                    usize::try_from(from).ok().filter(|from| *from <= log.len()).unwrap_or(0)
                }
                Kept::LogTail { bytes } => {
                    log.len().saturating_sub(usize::try_from(bytes).unwrap_or(usize::MAX))
                }
                Kept::Forget => log.len(),
            };
            let bytes: Vec<u8> = log[from..].iter().copied().take(256 << 10).collect();
            Ok(LogPage { from: from as u64, next: (from + bytes.len()) as u64, bytes })
        })
    }
}
