//! `[vault]`: where the master key comes from. Exactly one place is in force.

use std::fmt;

use serde::Deserialize;
use smartbox_core::secret::Secret;

use super::Env;
use super::error::ConfigError;

/// The master key itself: 32 bytes in base64 or hexadecimal.
pub const MASTER_KEY: &str = "SMARTBOX_MASTER_KEY";
/// The one that it takes the place of, at the first start with the new one.
pub const OLD_MASTER_KEY: &str = "SMARTBOX_MASTER_KEY_OLD";

/// Where the master key comes from.
#[derive(Debug, Clone)]
pub enum Master {
    /// `keys/master.key` in the data directory, made at the first start.
    File,
    /// A variable, and the key before it.
    Given(Secret<String>, Option<Secret<String>>),
    /// The keyring of the platform's user, in the kernel, under [`KEYRING`].
    Keyring,
}

/// What the key is called in the keyring.
pub const KEYRING: &str = "smartbox-master";

impl fmt::Display for Master {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "file",
            Self::Given(..) => "env",
            Self::Keyring => "keyring",
        })
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    master: Option<String>,
}

pub(crate) fn settle(file: &Written, env: &Env) -> Result<Master, ConfigError> {
    let (given, before) = (env.secret(MASTER_KEY)?, env.secret(OLD_MASTER_KEY)?);
    let word = file.master.as_deref();
    // Two keys, of which one would be left unused: whoever set both means one of them.
    if let (Some("file" | "keyring"), Some(_)) = (word, &given) {
        return Err(ConfigError::value(
            "vault.master",
            format!("{MASTER_KEY} is set too, and which key is meant is not clear"),
            "unset the variable, or write `env`",
        ));
    }
    match (word, given) {
        (None | Some("env"), Some(key)) => Ok(Master::Given(key, before)),
        (Some("env"), None) => Err(ConfigError::value(
            "vault.master",
            format!("{MASTER_KEY} is not set"),
            "set it to the output of `openssl rand -base64 32`, and keep a copy",
        )),
        (None | Some("file"), _) => Ok(Master::File),
        (Some("keyring"), _) => Ok(Master::Keyring),
        (Some(other), _) => Err(ConfigError::value(
            "vault.master",
            format!("`{other}` is none of file, env and keyring"),
            "write `file`, `env` or `keyring`",
        )),
    }
}
