//! Where things really lie for a box that has no sandbox: what it is told to run says `/home/box`, as
//! everywhere, and there is no such directory on the machine.

use std::collections::BTreeMap;

/// Directories as boxes know them, with those of the machine. None in a sandbox.
#[derive(Debug, Default)]
pub(crate) struct Places(Vec<(String, String)>);

impl Places {
    pub(crate) fn new(places: Vec<(String, String)>) -> Self {
        Self(places)
    }

    /// The arguments with every path as it is on the machine.
    pub(crate) fn all(&self, words: &[String]) -> Vec<String> {
        words.iter().map(|word| self.real(word)).collect()
    }

    /// The variables, their values likewise.
    pub(crate) fn values(&self, env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        env.iter().map(|(name, value)| (name.clone(), self.real(value))).collect()
    }

    /// A text with every path as it is on the machine. Once through: what was put in is not looked at.
    pub(crate) fn real(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let begins = !out.ends_with(is_of_a_path);
            let found = self.0.iter().filter(|_| begins).find_map(|(known, real)| {
                let after = rest.strip_prefix(known.as_str())?;
                let ends = after.starts_with('/') || !after.starts_with(is_of_a_path);
                ends.then_some((real, after))
            });
            match found {
                Some((real, after)) => {
                    out.push_str(real);
                    rest = after;
                }
                None => {
                    out.push(letter);
                    rest = &rest[letter.len_utf8()..];
                }
            }
        }
        out
    }
}

/// Whether a letter next to a directory's name makes it another one's.
fn is_of_a_path(letter: char) -> bool {
    letter.is_alphanumeric() || "/._-~+".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn real(text: &str) -> String {
        let places = [("/home/box", "/data/home"), ("/opt/engine", "/opt/engine/1")];
        Places::new(places.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec()).real(text)
    }

    #[test]
    fn a_path_of_the_box_becomes_one_of_the_machine() {
        for (said, meant) in [
            ("/home/box", "/data/home"),
            ("/home/box/.x/home/box", "/data/home/.x/home/box"),
            ("/opt/engine/bin:/usr/bin:/home/box/bin", "/opt/engine/1/bin:/usr/bin:/data/home/bin"),
            ("--to=/home/box", "--to=/data/home"),
            ("cd '/home/box' && ls \u{e4}", "cd '/data/home' && ls \u{e4}"),
        ] {
            assert_eq!(real(said), meant);
        }
    }

    #[test]
    fn what_only_looks_like_one_stays() {
        for same in ["/home/boxes", "/home/box.old", "/srv/home/box", "", "/home", "x/home/box"] {
            assert_eq!(real(same), same);
        }
        assert_eq!(Places::default().real("/home/box"), "/home/box");
    }
}
