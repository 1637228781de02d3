//! `kinds/*.toml` in the data directory: the owner's own kinds, beside those that ship.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use smartbox_control::{KindError, Kinds};

use super::error::ConfigError;

/// The directory in the data directory.
pub const DIR: &str = "kinds";

const FILES: usize = 100;
const BYTES: u64 = 2 << 20;

/// Those that ship, and the owner's own.
pub(crate) fn load(data_dir: &Path) -> Result<Kinds, ConfigError> {
    let mut kinds = shipped()?;
    for path in files(&data_dir.join(DIR))? {
        let text = read(&path)?;
        kinds.add(&text).map_err(|error| explain(&path, error))?;
    }
    Ok(kinds)
}

pub(crate) fn shipped() -> Result<Kinds, ConfigError> {
    Kinds::shipped().map_err(|error| explain(Path::new("a kind that ships"), error))
}

/// In the order of their names, so that of two of one name always the same one is refused.
fn files(dir: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: dir.to_owned(), source };
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    if paths.len() > FILES {
        let why = format!("there are more than {FILES} kinds");
        return Err(ConfigError::value(dir.display().to_string(), why, "remove some"));
    }
    Ok(paths)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(BYTES).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

fn explain(path: &Path, error: KindError) -> ConfigError {
    match error {
        KindError::Malformed { line, why } => {
            ConfigError::Malformed { path: path.to_owned(), line, why }
        }
        other => {
            let hint = "correct the file, or move it away; docs/guides/kinds.md shows the form";
            ConfigError::value(path.display().to_string(), other.to_string(), hint)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(dir: &Path, name: &str, text: &str) {
        std::fs::create_dir_all(dir.join(DIR)).unwrap();
        std::fs::write(dir.join(DIR).join(name), text).unwrap();
    }

    #[test]
    fn ones_own_kinds_are_read_and_a_mistake_names_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let shipped = load(dir.path()).unwrap().iter().count();
        let own = "name = \"legal\"\nbase = \"custom\"\ndescription = \"Reads contracts\"\n";
        put(dir.path(), "legal.toml", own);
        put(dir.path(), "notes.txt", "not a kind");
        assert_eq!(load(dir.path()).unwrap().iter().count(), shipped + 1);
        put(dir.path(), "more.toml", "name = \"legal\"\nbase = \"custom\"\ncolour = 1\n");
        let error = load(dir.path()).unwrap_err().to_string();
        assert!(error.contains("more.toml:3") && error.contains("colour"), "{error}");
        put(dir.path(), "more.toml", own);
        let error = load(dir.path()).unwrap_err().to_string();
        assert!(error.contains("more.toml") && error.contains("another kind"), "{error}");
        put(dir.path(), "more.toml", &own.replace("legal", "Legal"));
        let error = load(dir.path()).unwrap_err().to_string();
        assert!(error.contains("is not a kind's name"), "{error}");
    }
}
