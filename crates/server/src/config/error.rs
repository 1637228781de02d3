//! Why the configuration cannot be used. Each names the place and what to write instead.

use std::path::{Path, PathBuf};

use super::sources;

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is there and cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A key that there is none of.
    #[error("{}:{line}: there is no key `{key}`", path.display())]
    UnknownKey {
        /// In which file.
        path: PathBuf,
        /// In which line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// The nearest one that there is.
        nearest: Option<String>,
        /// All that there are at this place.
        known: Vec<String>,
    },
    /// The file is not TOML, or a value is not of its kind.
    #[error("{}:{line}: {why}", path.display())]
    Malformed {
        /// In which file.
        path: PathBuf,
        /// In which line, from 1.
        line: usize,
        /// In the parser's words.
        why: String,
    },
    /// A value that is understood and makes no sense.
    #[error("{}{key}: {why}", at(place.as_ref()))]
    BadValue {
        /// The file and the line, from 1, if it stands in one.
        place: Option<(PathBuf, usize)>,
        /// The key, or the environment variable.
        key: String,
        /// What is wrong with it.
        why: String,
        /// What to write.
        hint: String,
    },
    /// A `*_FILE` variable names a file that cannot be read.
    #[error("{variable} names a file that cannot be read: {}", path.display())]
    SecretFile {
        /// The variable.
        variable: String,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no home directory to put the data directory in.
    #[error("there is no place for the data directory: HOME is not set")]
    NoHome,
}

fn at(place: Option<&(PathBuf, usize)>) -> String {
    place.map(|(path, line)| format!("{}:{line}: ", path.display())).unwrap_or_default()
}

impl ConfigError {
    /// What the person can do.
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => {
                "make it readable for the user that runs `smartbox up`".into()
            }
            Self::UnknownKey { nearest: Some(nearest), .. } => format!("did you mean `{nearest}`?"),
            Self::UnknownKey { nearest: None, known, .. } => {
                format!("the keys here are: {}", known.join(", "))
            }
            Self::Malformed { .. } => "correct that line, or remove it to have the default".into(),
            Self::BadValue { hint, .. } => hint.clone(),
            Self::SecretFile { .. } => "make the file readable, or unset the variable".into(),
            Self::NoHome => "say where with --data-dir or SMARTBOX_DATA_DIR".into(),
        }
    }

    pub(crate) fn value(
        key: impl Into<String>,
        why: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::BadValue { place: None, key: key.into(), why: why.into(), hint: hint.into() }
    }

    /// The same, with the place of the value if it stands in this text of this file.
    pub(crate) fn placed(self, path: &Path, text: &str) -> Self {
        match self {
            Self::BadValue { place: None, key, why, hint } => {
                let line = sources::line_of(path, text, &key);
                Self::BadValue { place: line.map(|line| (path.to_owned(), line)), key, why, hint }
            }
            other => other,
        }
    }

    /// Whether it is the command line that is wrong, and no file.
    pub fn is_option(&self) -> bool {
        matches!(self, Self::BadValue { key, .. } if key.starts_with("--"))
    }
}
