//! The process: its home, its starts and its ends.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use smartbox_core::BoxFuture;
use smartbox_core::engine::port::Engine;
use smartbox_core::engine::{Health, Manifest, Settings};
use smartbox_core::sandbox::port::{Conn, Dial, RuntimeError};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::Model;
use crate::openclaw::OpenClaw;

/// What went wrong, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ProcessError(pub(crate) String);

/// An engine on this machine, its home and its model.
pub struct Process {
    /// Its adapter.
    pub engine: OpenClaw,
    /// Its model.
    pub model: Model,
    home: PathBuf,
    env: BTreeMap<String, String>,
    patience: Duration,
    child: Mutex<Option<Child>>,
}

impl Process {
    /// Prepares an engine of this manifest (whose paths are the machine's own) in an empty home.
    /// Ports are chosen freely; `patience` is the longest that any step may take.
    pub async fn prepare(
        manifest: Manifest,
        home: &Path,
        patience: Duration,
    ) -> Result<Self, ProcessError> {
        let failed = |e: std::io::Error| ProcessError(format!("preparing: {e}"));
        let model = Model::start().await.map_err(failed)?;
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let port = free.local_addr().map_err(failed)?.port();
        drop(free);
        let manifest = Manifest { port, model_port: model.port(), ..manifest };
        for dir in &manifest.dirs {
            std::fs::create_dir_all(home.join(dir)).map_err(failed)?;
        }
        let process = Self {
            env: manifest.env.clone(),
            engine: OpenClaw::with(manifest),
            model,
            home: home.to_owned(),
            patience,
            child: Mutex::default(),
        };
        process.configure(|bytes| bytes).await?;
        Ok(process)
    }

    /// Sets a variable of the engine's environment for later starts.
    #[must_use]
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// The way in.
    pub fn dial(&self) -> Arc<dyn Dial> {
        Arc::new(Loopback)
    }

    /// The longest that any step may take.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// What the engine has written to its output so far.
    pub fn log(&self) -> Vec<u8> {
        std::fs::read(self.home.join("engine.log")).unwrap_or_default()
    }

    /// Writes the configuration that the adapter makes, changed by the caller.
    pub(crate) async fn configure(
        &self,
        change: impl FnOnce(Vec<u8>) -> Vec<u8>,
    ) -> Result<(), ProcessError> {
        let settings = Settings {
            origins: vec!["http://pa.localhost:7777".into()],
            model_token: "token-of-the-checks".into(),
            model: "check/model".into(),
            owner: "me@smartbox".into(),
        };
        let path = self.home.join(&self.engine.manifest().config);
        let current = std::fs::read(&path).ok();
        let made = self.engine.configure(current.as_deref(), &settings);
        std::fs::write(path, change(made.bytes)).map_err(|e| ProcessError(e.to_string()))
    }

    /// Starts it; returns at once.
    pub async fn start(&self) -> Result<(), ProcessError> {
        let child = self.spawn()?;
        *self.child.lock().await = Some(child);
        Ok(())
    }

    /// Starts another beside it, on the same home, and waits for its exit.
    pub(crate) async fn second(&self) -> Result<ExitStatus, ProcessError> {
        self.to_its_end(&self.engine.manifest().argv).await
    }

    /// Lets it look after itself, whether it runs or not.
    pub(crate) async fn doctor(&self) -> Result<ExitStatus, ProcessError> {
        self.to_its_end(&self.engine.manifest().doctor).await
    }

    async fn to_its_end(&self, argv: &[String]) -> Result<ExitStatus, ProcessError> {
        let mut child = self.spawn_as(argv)?;
        match timeout(self.patience, child.wait()).await {
            Ok(status) => status.map_err(|e| ProcessError(e.to_string())),
            Err(_) => Err(ProcessError(format!("{} does not end", argv.join(" ")))),
        }
    }

    fn spawn(&self) -> Result<Child, ProcessError> {
        self.spawn_as(&self.engine.manifest().argv)
    }

    fn spawn_as(&self, argv: &[String]) -> Result<Child, ProcessError> {
        let failed = |e: std::io::Error| ProcessError(format!("starting: {e}"));
        let (program, args) =
            argv.split_first().ok_or_else(|| ProcessError("it has no such command".into()))?;
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.home.join("engine.log"))
            .map_err(failed)?;
        Command::new(program)
            .args(args)
            .env_clear()
            .envs(&self.env)
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed)?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)
    }

    /// Starts it and waits until it is ready.
    pub async fn boot(&self) -> Result<(), ProcessError> {
        self.start().await?;
        self.becomes(&Health::Ready).await
    }

    /// Waits for a state of health.
    pub(crate) async fn becomes(&self, wanted: &Health) -> Result<(), ProcessError> {
        let deadline = Instant::now() + self.patience;
        let mut steps = tokio::time::interval(Duration::from_millis(20));
        let mut last = String::new();
        while Instant::now() < deadline {
            steps.tick().await;
            match self.engine.health(&Loopback).await {
                Ok(health) if health == *wanted => return Ok(()),
                other => last = format!("{other:?}"),
            }
            if let Some(child) = self.child.lock().await.as_mut()
                && let Ok(Some(status)) = child.try_wait()
            {
                return Err(ProcessError(format!("it ended instead of {wanted:?}: {status}")));
            }
        }
        Err(ProcessError(format!("it did not become {wanted:?}, last {last}")))
    }

    /// Kills it without warning and waits until it is gone.
    pub async fn kill(&self) -> Result<(), ProcessError> {
        if let Some(mut child) = self.child.lock().await.take() {
            child.kill().await.map_err(|e| ProcessError(format!("killing: {e}")))?;
        }
        Ok(())
    }

    /// Asks it to end and waits for its exit.
    pub async fn stop(&self) -> Result<ExitStatus, ProcessError> {
        let pid = self.child.lock().await.as_ref().and_then(Child::id);
        let pid = pid.and_then(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).ok()?));
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        self.exit().await
    }

    /// Waits for its exit.
    pub async fn exit(&self) -> Result<ExitStatus, ProcessError> {
        let Some(mut child) = self.child.lock().await.take() else {
            return Err(ProcessError("it does not run".into()));
        };
        match timeout(self.patience, child.wait()).await {
            Ok(status) => status.map_err(|e| ProcessError(e.to_string())),
            Err(_) => Err(ProcessError("it did not end".into())),
        }
    }
}

struct Loopback;

impl Dial for Loopback {
    fn dial(&self, port: u16) -> BoxFuture<'_, Result<Conn, RuntimeError>> {
        Box::pin(async move {
            match TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                Ok(stream) => Ok(Box::pin(stream.compat()) as Conn),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                    let id = "box_00000000000000000000".parse();
                    Err(RuntimeError::Refused { id: id.map_err(|e| broken(Box::new(e)))?, port })
                }
                Err(error) => Err(broken(error.into())),
            }
        })
    }
}

fn broken(source: Box<dyn std::error::Error + Send + Sync>) -> RuntimeError {
    RuntimeError::Broken { doing: "connecting", source }
}
