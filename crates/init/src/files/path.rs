//! Paths as a caller writes them: relative to the home, no way up.

use super::FileFault;

/// A path beneath the home: its directories and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Beneath {
    pub(crate) directories: Vec<String>,
    pub(crate) name: String,
}

impl Beneath {
    /// Reads a path.
    pub(crate) fn parse(path: &str) -> Result<Self, FileFault> {
        if path.len() > 4096 || path.contains('\0') {
            return Err(FileFault::Bad("the path is too long or holds a NUL byte"));
        }
        if path.starts_with('/') {
            return Err(FileFault::Bad("the path is not relative to the home"));
        }
        let mut directories: Vec<String> = Vec::new();
        for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
            if part == ".." || part.len() > 255 {
                return Err(FileFault::Bad("the path leads up, or a name in it is too long"));
            }
            directories.push(part.to_owned());
        }
        let name = directories.pop().filter(|_| !path.ends_with('/'));
        let name = name.ok_or(FileFault::Bad("the path names no file"))?;
        Ok(Self { directories, name })
    }

    /// The path again, in its plain form.
    pub(crate) fn join(&self) -> String {
        let parts = self.directories.iter().chain([&self.name]);
        parts.map(String::as_str).collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ways_out_are_refused() {
        for path in ["", "/", "/etc/passwd", "..", "a/../../b", "a/", ".", "a\0b", "./..", "//x"] {
            assert!(Beneath::parse(path).is_err(), "{path}");
        }
        assert!(Beneath::parse(&"a/".repeat(3000)).is_err());
        assert!(Beneath::parse(&"a".repeat(300)).is_err());
        assert_eq!(Beneath::parse("./a//b/./c").unwrap().join(), "a/b/c");
        assert_eq!(Beneath::parse("...").unwrap().name, "...");
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_stays_beneath(path in "[a./\\\\%\0 ]{0,24}") {
            if let Ok(beneath) = Beneath::parse(&path) {
                let joined = beneath.join();
                prop_assert!(!joined.starts_with('/') && !joined.is_empty());
                prop_assert!(joined.split('/').all(|part| !part.is_empty() && part != ".." && part != "."));
                prop_assert_eq!(Beneath::parse(&joined).unwrap(), beneath);
            }
        }
    }
}
