//! Platforms elsewhere by name, with the tokens for them: one file of this person, which nobody else
//! may read. `local` is always there and means the data directory of this machine.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use smartbox_core::secret::Secret;
use smartbox_server::config::Env;

use super::reach::same_address;
use super::{Authorities, Key, Trust};
use crate::error::CliError;

/// Names the context that is meant.
pub(crate) const CONTEXT: &str = "SMARTBOX_CONTEXT";
/// The platform of this machine.
pub(crate) const LOCAL: &str = "local";

const FILE: &str = "contexts.json";
/// A file of more bytes is not ours.
const MAX: u64 = 8 << 20;

/// What the file says.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    current: Option<String>,
    contexts: BTreeMap<String, Entry>,
    /// Keys that ask to be let in, by the name of the context that is to come of it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    asking: BTreeMap<String, Asking>,
}

impl Written {
    fn free_for(&self, name: &str, server: &str) -> Result<(), CliError> {
        let Some(entry) = self.contexts.get(name) else { return Ok(()) };
        let lets_in = entry.key.is_some() || entry.token.is_some();
        if !lets_in || same_address(&entry.server, server) {
            return Ok(());
        }
        let what = format!("`{name}` is kept for another platform: {}", entry.server);
        let hint = "name this one by `--as NAME`; or `--replace` that one, best after \
                    `smartbox logout`, since it stays let in there";
        Err(CliError::usage(what, hint))
    }
}

/// A key that asks to be let in. It is kept before it asks: whoever is cut off asks on with the same one.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asking {
    server: String,
    key: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    server: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The key that the token is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// The certificates of its authorities, as PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ca: Option<String>,
    /// It was said that what lets this person in may travel unencrypted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    plain: bool,
}

/// A platform elsewhere.
pub(crate) struct Context {
    pub(crate) server: String,
    pub(crate) token: Option<Secret<String>>,
    pub(crate) key: Option<Key>,
    pub(crate) trust: Trust,
}

impl Context {
    /// Of whom nothing is known but the address.
    pub(crate) fn bare(server: &str) -> Self {
        Self { server: server.to_owned(), token: None, key: None, trust: Trust::default() }
    }
}

impl Entry {
    fn context(&self) -> Result<Context, CliError> {
        let key = self.key.as_deref().map(Key::read).transpose()?;
        let token = self.token.clone().map(Secret::new);
        let trust = Trust { ca: self.ca.clone().map(Authorities::Kept), plain: self.plain };
        Ok(Context { server: self.server.clone(), token, key, trust })
    }
}

/// The contexts of this person.
pub(crate) struct Contexts {
    path: Option<PathBuf>,
    written: Written,
}

impl Contexts {
    /// Reads them; where there is no file, or no home to have one in, there is `local` alone.
    pub(crate) fn read(env: &Env) -> Result<Self, CliError> {
        let path = path(env);
        let written = match &path {
            Some(path) => read(path)?,
            None => Written::default(),
        };
        Ok(Self { path, written })
    }

    /// Their names, `local` first.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(LOCAL).chain(self.written.contexts.keys().map(String::as_str))
    }

    /// The one that commands mean by themselves.
    pub(crate) fn current(&self) -> &str {
        self.written.current.as_deref().unwrap_or(LOCAL)
    }

    /// A platform elsewhere; none for `local`, for which nothing is read.
    pub(crate) fn find(env: &Env, name: &str) -> Result<Option<Context>, CliError> {
        if name == LOCAL { Ok(None) } else { Self::read(env)?.get(name) }
    }

    /// A platform elsewhere; none for `local`.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Context>, CliError> {
        if name == LOCAL {
            return Ok(None);
        }
        let entry = self.written.contexts.get(name).ok_or_else(|| missing(name))?;
        entry.context().map(Some)
    }

    /// The one that is at this address, and in with a key.
    pub(crate) fn at(&self, server: &str) -> Result<Option<Context>, CliError> {
        self.name_at(server).map(|name| self.get(name)).transpose().map(Option::flatten)
    }

    /// What it is called.
    pub(crate) fn name_at(&self, server: &str) -> Option<&str> {
        let mut all = self.written.contexts.iter();
        let found =
            all.find(|(_, entry)| entry.key.is_some() && same_address(&entry.server, server));
        found.map(|(name, _)| name.as_str())
    }

    /// Refuses a name under which something is kept that lets this person in to another platform: once it
    /// is replaced, nobody here can give it back there.
    pub(crate) fn free_for(env: &Env, name: &str, server: &str) -> Result<(), CliError> {
        Self::read(env)?.written.free_for(name, server)
    }

    /// The key for a context of this name at this address: the one that it has, the one that has begun
    /// to ask, or a new one, which is kept from now on.
    pub(crate) fn key_for(env: &Env, name: &str, server: &str) -> Result<Key, CliError> {
        let contexts = Self::read(env)?;
        let has = contexts.written.contexts.get(name);
        let has = has.filter(|entry| same_address(&entry.server, server));
        if let Some(key) = has.and_then(|entry| entry.key.as_deref()) {
            return Key::read(key);
        }
        let mut key = Key::new();
        change(env, |written| {
            match written.asking.get(name).filter(|asking| same_address(&asking.server, server)) {
                Some(asking) => key = Key::read(&asking.key)?,
                None => {
                    let asking = Asking { server: server.to_owned(), key: key.written() };
                    written.asking.insert(name.to_owned(), asking);
                }
            }
            Ok(())
        })?;
        Ok(key)
    }

    /// A key does not ask any more.
    pub(crate) fn ask_no_more(env: &Env, name: &str, key: &Key) -> Result<(), CliError> {
        change(env, |written| {
            let own = |asking: &Asking| asking.key == key.written();
            if written.asking.get(name).is_some_and(own) {
                written.asking.remove(name);
            }
            Ok(())
        })
    }

    /// Keeps one; of the same name it replaces the old one of the same platform, and that of another one
    /// only if told to.
    pub(crate) fn add(
        env: &Env,
        name: &str,
        context: &Context,
        replace: bool,
    ) -> Result<(), CliError> {
        let token = context.token.as_ref().map(|token| token.expose().clone());
        let key = context.key.as_ref().map(Key::written);
        let ca = context.trust.ca.as_ref().map(Authorities::pem).transpose()?;
        let plain = context.trust.plain;
        let entry = Entry { server: context.server.clone(), token, key, ca, plain };
        change(env, |written| {
            if !replace {
                written.free_for(name, &context.server)?;
            }
            written.asking.remove(name);
            written.contexts.insert(name.to_owned(), entry);
            Ok(())
        })
    }

    /// From now on commands mean this one.
    pub(crate) fn choose(env: &Env, name: &str) -> Result<(), CliError> {
        change(env, |written| {
            if name != LOCAL && !written.contexts.contains_key(name) {
                return Err(missing(name));
            }
            written.current = (name != LOCAL).then(|| name.to_owned());
            Ok(())
        })
    }

    /// Forgets one and its token. If it was the current one, `local` is.
    pub(crate) fn forget(env: &Env, name: &str) -> Result<(), CliError> {
        change(env, |written| {
            written.contexts.remove(name).ok_or_else(|| missing(name))?;
            written.current.take_if(|current| current == name);
            Ok(())
        })
    }

    /// Where they are kept, for people.
    pub(crate) fn place(&self) -> String {
        self.path.as_ref().map_or_else(|| "nowhere".into(), |path| path.display().to_string())
    }
}

/// A name is like a smartbox's.
pub(crate) fn check_name(name: &str) -> Result<(), CliError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let good = (1..=40).contains(&name.len())
        && name.bytes().all(plain)
        && name.starts_with(|c: char| c.is_ascii_lowercase());
    if good && name != LOCAL {
        return Ok(());
    }
    let what = if good {
        "`local` is always there, and means the platform of this machine".to_owned()
    } else {
        "that is not a name for a context".to_owned()
    };
    Err(CliError::usage(what, "1 to 40 of a-z, 0-9 and -, beginning with a letter"))
}

fn path(env: &Env) -> Option<PathBuf> {
    let base = match env.get("XDG_CONFIG_HOME").map(PathBuf::from).filter(|p| p.is_absolute()) {
        Some(base) => base,
        None => PathBuf::from(env.get("HOME")?).join(".config"),
    };
    Some(base.join("smartbox").join(FILE))
}

fn missing(name: &str) -> CliError {
    CliError::Here {
        what: format!("there is no context `{name}`"),
        hint: "`smartbox context ls` shows those that there are".into(),
        exit: smartbox_api::problem::Exit::NotFound,
    }
}

fn broken(path: &Path, why: impl std::fmt::Display) -> CliError {
    let what = format!("{} cannot be used: {why}", path.display());
    CliError::here(what, "correct it, or remove it and add your contexts again")
}

fn read(path: &Path) -> Result<Written, CliError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Written::default()),
        Err(error) => return Err(broken(path, error)),
    };
    let about = file.metadata().map_err(|e| broken(path, e))?;
    if about.mode() & 0o077 != 0 || about.uid() != rustix::process::geteuid().as_raw() {
        let what = format!("others may read {}, and it holds tokens", path.display());
        let hint = format!("make it yours alone: chmod 600 {}", path.display());
        return Err(CliError::here(what, hint));
    }
    let mut text = String::new();
    file.take(MAX).read_to_string(&mut text).map_err(|e| broken(path, e))?;
    // The parser's own words could repeat a token.
    serde_json::from_str(&text)
        .map_err(|e| broken(path, format!("line {} is not understood", e.line())))
}

/// Reads, changes and writes as one: two commands at once lose nothing, and one that is killed
/// leaves the old file or the new one.
fn change(
    env: &Env,
    edit: impl FnOnce(&mut Written) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let path = path(env).ok_or_else(|| {
        CliError::usage("there is no place for contexts: HOME is not set", "set HOME")
    })?;
    let dir = path.parent().unwrap_or(Path::new("/"));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| broken(dir, e))?;
    let private = |name: &str| {
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(true).mode(0o600).open(dir.join(name))
    };
    let lock = private(".contexts.lock").map_err(|e| broken(dir, e))?;
    lock.lock().map_err(|e| broken(dir, e))?;
    let mut written = read(&path)?;
    edit(&mut written)?;
    let text = serde_json::to_vec_pretty(&written).map_err(|e| broken(&path, e))?;
    if text.len() as u64 >= MAX {
        let hint = "forget contexts that are not needed any more, or name fewer authorities";
        return Err(CliError::here(format!("{} would be too long", path.display()), hint));
    }
    let fresh = dir.join(".contexts.new");
    // A leftover of another mode is not written into.
    let _ = fs::remove_file(&fresh);
    private(".contexts.new")
        .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&fresh, &path))
        .map_err(|e| broken(&path, e))
}
