//! What a person should see while the platform starts and ends.

use std::path::PathBuf;

use smartbox_core::sandbox::Capabilities;
use smartbox_core::secret::Secret;

/// Something happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The engine is being installed; once per data directory. Comes often.
    Installing {
        /// What is being done, in a few words.
        step: &'static str,
        /// How much of it is done.
        done: u64,
        /// Of how much; 0 if nobody can tell.
        total: u64,
        /// Of what: `packages`, `files`, or nothing.
        unit: &'static str,
    },
    /// It was installed.
    Installed {
        /// The engine and its version, for people.
        engine: String,
    },
    /// The platform answers.
    Ready(Box<Ready>),
    /// A signal came: what has begun is finished first. Another signal ends it at once.
    Draining,
    /// The boxes are being stopped, as asked for.
    StoppingBoxes,
}

/// What to tell a person when the platform answers.
#[derive(Debug, Clone)]
pub struct Ready {
    /// The link that signs in, whole; it holds a token, so it is for the terminal alone.
    pub link: Secret<String>,
    /// The platform's address without a token.
    pub url: String,
    /// The PA's own address.
    pub pa_url: Option<String>,
    /// The data directory.
    pub data_dir: PathBuf,
    /// What isolates the boxes here, and what is missing.
    pub runtime: Capabilities,
    /// The engine and its version.
    pub engine: (String, String),
    /// What is missing for real answers, in plain words.
    pub missing: Vec<String>,
    /// What the person might want to know of this machine.
    pub advice: Vec<String>,
    /// Boxes that were found running and taken over.
    pub adopted: usize,
}
