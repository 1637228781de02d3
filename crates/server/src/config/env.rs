//! The environment as a value, and the secrets that it gives.

use std::collections::BTreeMap;
use std::path::PathBuf;

use smartbox_core::secret::Secret;

use super::error::ConfigError;
use super::original;

/// The original project's master token: opens the link and the API.
pub const MASTER_TOKEN: &str = "MOLTBOT_GATEWAY_MASTER_TOKEN";

/// Environment variables. Values are not printed.
#[derive(Clone, Default)]
pub struct Env(BTreeMap<String, String>);

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Env {
    /// The environment of this process; variables that are not UTF-8 are left out.
    pub fn process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// Takes the platform's own keys out of the environment of this process, so that no program that it starts is
    /// given them. Nothing else may run yet: the environment is not safe to change while another thread reads
    /// it.
    pub fn hide_keys(&self) {
        use super::{sign_in::SECRET, vault};
        for name in [vault::MASTER_KEY, vault::OLD_MASTER_KEY, SECRET] {
            if self.0.contains_key(name) {
                #[expect(unsafe_code, reason = "changing the environment is unsafe among threads")]
                // SAFETY: the command line calls it first of all, while it has one thread.
                unsafe {
                    std::env::remove_var(name);
                }
            }
        }
    }

    /// These variables and no others.
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        Self(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    /// A variable; one that is set to nothing is not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A secret: `NAME`, or the content of the file that `NAME_FILE` names. Both are one too many.
    pub fn secret(&self, name: &str) -> Result<Option<Secret<String>>, ConfigError> {
        let variable = format!("{name}_FILE");
        let path = match (self.get(name), self.get(&variable)) {
            (Some(_), Some(_)) => {
                return Err(ConfigError::value(
                    variable,
                    format!("{name} is set too, and which one is meant is not clear"),
                    "unset one of the two",
                ));
            }
            (Some(value), None) => return Ok(Some(Secret::new(value.to_owned()))),
            (None, Some(path)) => PathBuf::from(path),
            (None, None) => return Ok(None),
        };
        match std::fs::read_to_string(&path) {
            Ok(text) if text.trim().is_empty() => Err(ConfigError::value(
                variable,
                "the file is empty",
                "write the secret into it, or unset the variable",
            )),
            Ok(text) => Ok(Some(Secret::new(text.trim().to_owned()))),
            Err(source) => Err(ConfigError::SecretFile { variable, path, source }),
        }
    }
}

/// Secrets that the environment gives, by name.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Opens the link and the API.
    pub master: Option<Secret<String>>,
    /// Keys of model providers.
    pub keys: BTreeMap<String, Secret<String>>,
}

pub(crate) fn given<'a>(
    env: &Env,
    names: impl Iterator<Item = &'a str>,
) -> Result<Given, ConfigError> {
    let mut given = Given { master: env.secret(MASTER_TOKEN)?, keys: BTreeMap::new() };
    if given.master.as_ref().is_some_and(|token| token.expose().len() < 16) {
        return Err(ConfigError::value(
            MASTER_TOKEN,
            "the token is shorter than 16 characters and could be guessed",
            "make one with `openssl rand -hex 32`",
        ));
    }
    for name in names {
        if let Some(value) = env.secret(name)? {
            given.keys.insert(name.to_owned(), value);
        }
    }
    if let Some(gateway) = original::gateway(env)? {
        given.keys.insert(gateway.secret.to_owned(), gateway.key);
    }
    Ok(given)
}
