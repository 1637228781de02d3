//! What the native driver is told at the start.

use std::ffi::OsString;
use std::path::PathBuf;

/// How much isolation is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// The most that this machine and user allow; never less than [`Profile::Reduced`].
    Auto,
    /// As root, or an error.
    Full,
    /// As an ordinary user, even if we are root in a place where root may do little.
    Reduced,
    /// No isolation at all. Only when a person has asked for it out loud.
    InsecureNone,
}

/// How to run.
#[derive(Debug, Clone)]
pub struct NativeConfig {
    /// The platform's data directory; `boxes` and `bin` beneath it are the driver's.
    pub data_dir: PathBuf,
    /// Program and arguments that reach [`crate::nest_main`].
    pub helper: Vec<OsString>,
    /// Short name of the data directory, unique on this machine; names the cgroups.
    /// Lower-case letters and digits only.
    pub installation: String,
    /// A box has the host uid and gid `uid_base + slot` in the full profile.
    pub uid_base: u32,
    /// Which profile.
    pub profile: Profile,
    /// A file that a test harness keeps locked (`flock`); boxes end themselves when it is not.
    pub lease: Option<PathBuf>,
    /// Page conversations out to swap that is neither compressed memory nor encrypted, too.
    pub allow_plain_swap: bool,
    /// Bytes of engine log kept per box, in two files; the oldest go first.
    pub log_cap: u64,
    /// Bytes of a box's private `/tmp`, which is memory; at most a quarter of what its tier allows. Half as much
    /// is its `/dev/shm`.
    pub tmp_bytes: u64,
}

impl NativeConfig {
    /// The usual configuration for a data directory, with this very program as the helper.
    pub fn new(data_dir: PathBuf, installation: impl Into<String>) -> Self {
        Self {
            data_dir,
            // The running program even after its file was replaced by an upgrade.
            helper: vec!["/proc/self/exe".into(), crate::nest::ARG.into()],
            installation: installation.into(),
            uid_base: 2_000_000,
            profile: Profile::Auto,
            lease: None,
            allow_plain_swap: false,
            log_cap: 8 << 20,
            tmp_bytes: 512 << 20,
        }
    }
}
