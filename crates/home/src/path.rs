//! Paths as a caller writes them: relative to the home, no way up. Names are bytes, as the kernel's.

use crate::Fault;

/// The deepest path.
const DEPTH: usize = 256;

/// A path beneath the home; empty for the home itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beneath(Vec<Vec<u8>>);

impl Beneath {
    /// Reads a path. The home itself is the empty path or `.`.
    pub fn parse(path: &[u8]) -> Result<Self, Fault> {
        if path.len() > 4095 || path.contains(&0) {
            return Err(Fault::Bad("the path is too long or holds a NUL byte"));
        }
        if path.starts_with(b"/") {
            return Err(Fault::Bad("the path is not relative to the home"));
        }
        let mut names = Vec::new();
        for name in path.split(|byte| *byte == b'/') {
            match name {
                b"" | b"." => {}
                b".." => return Err(Fault::Bad("the path leads up")),
                name if name.len() > 255 => {
                    return Err(Fault::Bad("a name in the path is too long"));
                }
                name => names.push(name.to_vec()),
            }
        }
        if names.len() > DEPTH {
            return Err(Fault::Bad("the path is too deep"));
        }
        Ok(Self(names))
    }

    /// Reads a path that names something in the home, not the home itself. With `file`, one that ends
    /// in a slash names none.
    pub fn named(path: &[u8], file: bool) -> Result<Self, Fault> {
        let parsed = Self::parse(path)?;
        if parsed.0.is_empty() || (file && path.ends_with(b"/")) {
            return Err(Fault::Bad("the path names no file"));
        }
        Ok(parsed)
    }

    /// Its names, outermost first.
    pub fn names(&self) -> &[Vec<u8>] {
        &self.0
    }

    /// The last name; empty for the home itself.
    pub fn name(&self) -> &[u8] {
        self.0.last().map_or(b"", Vec::as_slice)
    }

    /// The directory that it lies in.
    pub fn parent(&self) -> Self {
        Self(self.0[..self.0.len().saturating_sub(1)].to_vec())
    }

    /// Its first names.
    pub(crate) fn first(&self, count: usize) -> Self {
        Self(self.0[..count].to_vec())
    }

    /// The path again, in its plain form; `.` for the home itself.
    pub fn join(&self) -> Vec<u8> {
        if self.0.is_empty() { b".".to_vec() } else { self.0.join(&b'/') }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ways_out_are_refused() {
        for path in ["/", "/etc/passwd", "..", "a/../../b", "a\0b", "./..", "//x", "a/.."] {
            assert!(Beneath::parse(path.as_bytes()).is_err(), "{path}");
        }
        for path in ["", ".", "./", "a/"] {
            assert!(Beneath::named(path.as_bytes(), true).is_err(), "{path}");
        }
        assert!(Beneath::parse("a/".repeat(300).as_bytes()).is_err());
        assert!(Beneath::parse("a".repeat(300).as_bytes()).is_err());
        assert_eq!(Beneath::parse(b"./a//b/./c").unwrap().join(), b"a/b/c");
        assert_eq!(Beneath::parse(b"...").unwrap().name(), b"...");
        assert_eq!(Beneath::parse(b"a\xff/b").unwrap().names()[0], b"a\xff");
        assert_eq!(Beneath::parse(b"").unwrap().join(), b".");
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_stays_beneath(path in "[a./\\\\%\0 ]{0,24}") {
            if let Ok(beneath) = Beneath::parse(path.as_bytes()) {
                let joined = beneath.join();
                prop_assert!(!joined.starts_with(b"/"));
                prop_assert!(beneath.names().iter().all(|n| !n.is_empty() && n != b".." && n != b"."));
                prop_assert_eq!(Beneath::parse(&joined).unwrap(), beneath);
            }
        }
    }
}
