//! The key's file: read with care, made whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use smartbox_core::id::{Entropy, random_text};
use zeroize::Zeroizing;

use super::KeysError;
use crate::seal::{Key, fresh};

/// Longer than any key file; what is longer is not read to its end.
const LIMIT: u64 = 256;

pub(super) fn load_or_create(
    path: &Path,
    database: &Path,
    entropy: &dyn Entropy,
) -> Result<Key, KeysError> {
    match load(path)? {
        Some(key) => return Ok(key),
        None if exists(database).map_err(|e| io_error(database, "read", e))? => {
            return Err(KeysError::Lost { path: path.into(), database: database.into() });
        }
        None => create(path, entropy).map_err(|e| io_error(path, "made", e))?,
    }
    // Another process may have been first: what counts is what is there.
    load(path)?.ok_or_else(|| io_error(path, "read", io::ErrorKind::NotFound.into()))
}

fn exists(path: &Path) -> io::Result<bool> {
    path.try_exists()
}

pub(super) fn load(path: &Path) -> Result<Option<Key>, KeysError> {
    let failed = |e| io_error(path, "read", e);
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    // Before it is opened, so that a pipe in its place cannot hang the start.
    if !meta.is_file() {
        return Err(KeysError::Malformed { path: path.into() });
    }
    let file = File::open(path).map_err(failed)?;
    let mode = meta.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeysError::Permissions { path: path.into(), mode });
    }
    let mut text = Zeroizing::new(Vec::with_capacity(LIMIT as usize));
    file.take(LIMIT).read_to_end(&mut text).map_err(failed)?;
    decode(text.trim_ascii()).map(Some).ok_or_else(|| KeysError::Malformed { path: path.into() })
}

fn decode(text: &[u8]) -> Option<Key> {
    let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
    let mut key = Key::default();
    if bytes.len() != key.len() {
        return None;
    }
    key.copy_from_slice(&bytes);
    Some(key)
}

/// As an operator writes it: base64, or hexadecimal.
pub(super) fn decode_any(text: &str) -> Option<Key> {
    let text = text.trim();
    if text.len() == 64
        && let Ok(bytes) = hex::decode(text).map(Zeroizing::new)
    {
        let mut key = Key::default();
        key.copy_from_slice(&bytes);
        return Some(key);
    }
    decode(text.as_bytes())
}

/// Where the key lies that is to take the place of this one.
pub(super) fn next(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".next");
    name.into()
}

/// Makes another key beside this one.
pub(super) fn make_next(path: &Path, entropy: &dyn Entropy) -> Result<Key, KeysError> {
    let at = next(path);
    let made = remove(&at).and_then(|()| fill(&at, entropy)).and_then(|()| sync_folder(&at));
    made.map_err(|e| io_error(&at, "made", e))?;
    load(&at)?.ok_or_else(|| io_error(&at, "read", io::ErrorKind::NotFound.into()))
}

/// Puts the next key in the place of this one.
pub(super) fn promote(path: &Path) -> Result<(), KeysError> {
    let moved = fs::rename(next(path), path).and_then(|()| sync_folder(path));
    moved.map_err(|e| io_error(path, "made", e))
}

/// Removes a key that nothing was ever sealed with.
pub(super) fn drop_next(path: &Path) -> Result<(), KeysError> {
    let at = next(path);
    remove(&at).map_err(|e| io_error(&at, "made", e))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Makes a key under a name of its own, then links it into place, which never replaces a file.
fn create(path: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let prefix = format!(".{name}.new-");
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let temporary = folder.join(format!("{prefix}{}", random_text(entropy, 12)));
    let linked = fill(&temporary, entropy).and_then(|()| fs::hard_link(&temporary, path));
    match linked {
        Ok(()) => {}
        // Another start was first; it may have swept our file away with what was left behind.
        Err(_) if exists(path)? => {}
        Err(e) => {
            remove(&temporary)?;
            return Err(e);
        }
    }
    // What a killed start left behind is a key that nothing was ever sealed with.
    sweep(&folder, &prefix)?;
    File::open(&folder)?.sync_all()
}

fn fill(temporary: &Path, entropy: &dyn Entropy) -> io::Result<()> {
    let key = fresh(entropy);
    let mut text = Zeroizing::new(STANDARD.encode(key.as_slice()));
    text.push('\n');
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn sweep(folder: &Path, prefix: &str) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

fn io_error(path: &Path, doing: &'static str, source: io::Error) -> KeysError {
    KeysError::Io { path: path.into(), doing, source }
}
