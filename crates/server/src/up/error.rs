//! Why the platform does not start. Each says what to do, and has an exit code.

use std::net::SocketAddr;
use std::path::PathBuf;

use smartbox_api::problem::Exit;

use crate::config::ConfigError;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the platform does not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another `up` runs on this data directory.
    #[error("another `smartbox up` runs on {}{}", data_dir.display(), by(*pid))]
    Running {
        /// The data directory.
        data_dir: PathBuf,
        /// Its process, if it said so.
        pid: Option<u32>,
    },
    /// The data directory cannot be made or used.
    #[error("the data directory {} cannot be used: {why}", path.display())]
    DataDir {
        /// The directory, or the part of it.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The disk is full.
    #[error("the disk with {} is full", path.display())]
    Full {
        /// What could not be written.
        path: PathBuf,
    },
    /// Something listens there already.
    #[error("{address} is taken by another program")]
    Taken {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("{address} cannot be listened on")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The certificate cannot be used.
    #[error("the certificate cannot be used: {why}")]
    Certificate {
        /// What is wrong with it.
        why: String,
    },
    /// The keys or the database cannot be used.
    #[error("{why}")]
    Records {
        /// For a person, with what to do.
        why: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// This machine cannot isolate boxes well enough.
    #[error("boxes cannot be isolated on this machine: {why}")]
    Sandbox {
        /// What is missing and what to do.
        why: String,
    },
    /// There is no engine of that name.
    #[error("there is no engine `{name}`")]
    NoEngine {
        /// As it was configured.
        name: String,
    },
    /// The engine could not be installed.
    #[error("the engine could not be installed: {why}")]
    Install {
        /// In plain words.
        why: String,
        /// What to do.
        hint: String,
        /// Why.
        #[source]
        source: Option<Cause>,
    },
    /// Another control plane has taken over this data directory.
    #[error("another control plane has taken over this data directory")]
    Fenced,
    /// A second signal came while the first was being heeded.
    #[error("ended at once, as asked for")]
    Cut,
    /// Something else failed.
    #[error("{doing} failed: {source}")]
    Broken {
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: Cause,
    },
}

fn by(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

impl BootError {
    /// What the person can do; may be empty.
    pub fn hint(&self) -> String {
        match self {
            Self::Config(error) => error.hint(),
            Self::Running { pid: Some(pid), .. } => {
                format!("use that one, end it with `kill {pid}`, or choose another --data-dir")
            }
            Self::Running { pid: None, .. } => "end that one, or choose another --data-dir".into(),
            Self::DataDir { .. } => "choose another place with --data-dir".into(),
            Self::Full { .. } => "free some space and start again; nothing half-made is kept".into(),
            Self::Taken { .. } | Self::Listen { .. } => {
                "choose another address, or any free port with `--listen 127.0.0.1:0`".into()
            }
            Self::Sandbox { .. } => {
                "`smartbox doctor` shows each part; `--insecure-no-sandbox` runs without \
                 isolation, and then whatever an assistant runs can read and change all that you can"
                    .into()
            }
            Self::NoEngine { .. } => "`[engine] name` in smartbox.toml is `openclaw`".into(),
            Self::Install { hint, .. } => hint.clone(),
            Self::Certificate { .. } => {
                "correct `[http.tls]` in smartbox.toml, or the files that it names".into()
            }
            Self::Fenced => "stop one of the two, and start this one again if it is to stay".into(),
            Self::Records { .. } | Self::Cut | Self::Broken { .. } => String::new(),
        }
    }

    /// The exit code of `smartbox up`.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(_) | Self::NoEngine { .. } | Self::Certificate { .. } => Exit::Config,
            Self::Running { .. } | Self::Fenced => Exit::Running,
            Self::DataDir { .. } | Self::Records { .. } => Exit::Data,
            Self::Full { .. } => Exit::DiskFull,
            Self::Taken { .. } | Self::Listen { .. } => Exit::Listen,
            Self::Sandbox { .. } => Exit::Sandbox,
            Self::Install { .. } => Exit::Install,
            Self::Cut | Self::Broken { .. } => Exit::Failure,
        }
    }

    pub(crate) fn broken(doing: &'static str, source: impl Into<Cause>) -> Self {
        Self::Broken { doing, source: source.into() }
    }
}
