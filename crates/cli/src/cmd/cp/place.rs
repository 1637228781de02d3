//! The two sides of a copy, as they are written.

use std::path::PathBuf;

use smartbox_core::sandbox::HOME_DIR;

/// One side.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// A path on this machine; `-` for a standard stream.
    Here(PathBuf),
    /// A path in a box's home.
    There(Place),
}

/// A path in a box's home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: String,
    /// Relative to the home.
    pub(super) path: String,
}

impl Side {
    /// `BOX:PATH` is a box's; a path with a slash before its first colon, like `./a:b`, is ours.
    pub(super) fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some((name, path)) if !name.is_empty() && !name.contains('/') => {
                Self::There(Place { name: name.to_owned(), path: relative(path) })
            }
            _ => Self::Here(PathBuf::from(text)),
        }
    }
}

/// Relative to the home, though a person may write it as the box itself sees it.
pub(crate) fn relative(path: &str) -> String {
    let own = path.strip_prefix(HOME_DIR).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let own = own.or_else(|| path.strip_prefix('~'));
    own.map_or(path, |rest| rest.trim_start_matches('/')).to_owned()
}

impl Place {
    /// Something in it.
    pub(super) fn join(&self, name: &str) -> Self {
        let path = match self.path.trim_end_matches('/') {
            "" | "." => name.to_owned(),
            path => format!("{path}/{name}"),
        };
        Self { name: self.name.clone(), path }
    }

    /// Its last name, if it has one.
    pub(super) fn last(&self) -> Option<&str> {
        let mut names = self.path.split('/').filter(|name| !name.is_empty() && *name != ".");
        names.next_back()
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.name, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_before_a_slash_means_a_box() {
        let there =
            |name: &str, path: &str| Side::There(Place { name: name.into(), path: path.into() });
        assert_eq!(Side::parse("pa:notes/a"), there("pa", "notes/a"));
        assert_eq!(Side::parse("pa:"), there("pa", ""));
        assert_eq!(Side::parse("pa:~/a"), there("pa", "a"));
        assert_eq!(Side::parse("pa:/home/box/a:b"), there("pa", "a:b"));
        assert_eq!(Side::parse("pa:/home/boxes"), there("pa", "/home/boxes"));
        for here in ["notes", "./pa:x", "/a:b", "-", ":x", ""] {
            assert_eq!(Side::parse(here), Side::Here(here.into()), "{here}");
        }
    }

    #[test]
    fn names_are_joined_and_found() {
        let place = |path: &str| Place { name: "pa".into(), path: path.into() };
        assert_eq!(place("").join("a").path, "a");
        assert_eq!(place("x/").join("a").path, "x/a");
        assert_eq!(place("x/y/.").last(), Some("y"));
        assert_eq!(place(".").last(), None);
    }
}
