//! The rules of the house: which room may know which, how long a file may be, what is written where.
//! There is no list of exceptions.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Which rooms of ours each room may name in its dependencies.
const ARROWS: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("link", &[]),
    ("home", &[]),
    ("api", &["core", "link"]),
    ("init", &["link", "home"]),
    ("store", &["core"]),
    ("runtime", &["core", "link", "home"]),
    ("engine", &["core"]),
    ("ai-gateway", &["core"]),
    ("edge", &["core"]),
    ("egress", &["core"]),
    ("snapshot", &["core"]),
    ("sign-in", &["core"]),
    ("control", &["core", "api", "link"]),
    (
        "server",
        &[
            "core",
            "api",
            "link",
            "store",
            "runtime",
            "engine",
            "ai-gateway",
            "edge",
            "egress",
            "snapshot",
            "sign-in",
            "control",
        ],
    ),
    ("cli", &["core", "api", "server", "runtime", "snapshot"]),
];

/// Names of drivers, which nobody says but their own room and `boot.rs`.
const DRIVERS: &[(&str, &[&str])] = &[
    ("runtime", &["Native::", "NativeConfig"]),
    ("store", &["Sqlite::", "smartbox_store::Sqlite"]),
    ("engine", &["OpenClaw::"]),
    ("ai-gateway", &["Gateway::new"]),
    ("snapshot", &["Restic::"]),
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rooms() -> Vec<String> {
    let mut rooms: Vec<String> = std::fs::read_dir(crates())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("Cargo.toml").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    rooms.sort();
    rooms
}

/// A source file: its room, its path within the room, its text.
pub struct Source {
    room: String,
    path: PathBuf,
    pub text: String,
}

impl Source {
    pub fn is_test(&self) -> bool {
        let name = self.path.file_name().unwrap().to_str().unwrap();
        name == "tests.rs" || !self.path.starts_with("src")
    }

    /// Its lines before its own tests.
    pub fn code(&self) -> impl Iterator<Item = &str> {
        self.text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"))
    }

    pub fn place(&self) -> String {
        format!("crates/{}/{}", self.room, self.path.display())
    }
}

pub fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for room in rooms() {
        let root = crates().join(&room);
        let mut stack = vec![root.clone()];
        while let Some(dir) = stack.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    stack.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let path = path.strip_prefix(&root).unwrap().to_owned();
                    found.push(Source { room: room.clone(), path, text });
                }
            }
        }
    }
    found
}

#[test]
fn a_room_knows_only_the_rooms_that_it_may() {
    let known: BTreeSet<&str> = ARROWS.iter().map(|(room, _)| *room).collect();
    for room in rooms() {
        assert!(known.contains(room.as_str()), "{room} has no arrows yet: draw them here");
        let may = ARROWS.iter().find(|(name, _)| *name == room).unwrap().1;
        let text = std::fs::read_to_string(crates().join(&room).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let mut tables = vec![manifest.get("dependencies"), manifest.get("build-dependencies")];
        let targets = manifest.get("target").and_then(toml::Value::as_table);
        for target in targets.into_iter().flat_map(toml::Table::values) {
            tables.push(target.get("dependencies"));
        }
        for name in tables.into_iter().flatten().filter_map(toml::Value::as_table).flatten() {
            if let Some(other) = name.0.strip_prefix("smartbox-") {
                assert!(may.contains(&other), "{room} must not know {other}");
            }
        }
    }
}

#[test]
fn files_are_short() {
    let mut lengths: Vec<(usize, String)> = sources()
        .iter()
        .filter(|source| !source.is_test())
        .map(|source| (source.text.lines().count(), source.place()))
        .collect();
    lengths.sort();
    let at = |share: usize| &lengths[(lengths.len() - 1) * share / 100];
    assert!(at(50).0 <= 150, "the median is {:?}", at(50));
    assert!(at(90).0 <= 400, "nine of ten are shorter than {:?}", at(90));
    assert!(at(100).0 <= 800, "the longest is {:?}", at(100));
}

#[test]
fn every_file_says_what_it_is() {
    for source in sources().iter().filter(|source| !source.is_test()) {
        assert!(source.text.starts_with("//!"), "{} does not begin with //!", source.place());
    }
}

#[test]
fn a_port_is_small() {
    let mut ports = 0;
    for source in sources().iter().filter(|source| source.room == "core") {
        let mut methods = None;
        for line in source.code() {
            if line.starts_with("pub trait ") {
                methods = Some((line.to_owned(), 0));
                ports += 1;
            } else if line == "}" {
                methods = None;
            } else if let (Some((name, count)), true) =
                (&mut methods, line.trim_start().starts_with("fn "))
            {
                *count += 1;
                assert!(*count <= 8, "{name} in {} has more than 8 methods", source.place());
            }
        }
    }
    assert!(ports > 10, "only {ports} ports were found: this test does not see them");
}

#[test]
fn sql_is_written_in_the_store_alone() {
    let mut seen = false;
    for source in sources() {
        let sql = source.code().any(|line| {
            let speaks = ["SELECT ", "INSERT INTO ", "DELETE FROM "].iter();
            line.contains("sqlx::")
                || (!line.trim_start().starts_with("//")
                    && speaks.clone().any(|word| line.contains(word)))
        });
        seen |= sql;
        assert!(!sql || source.room == "store" || source.is_test(), "SQL in {}", source.place());
    }
    assert!(seen, "no SQL was found at all: this test does not see it");
}

#[test]
fn drivers_are_named_by_their_room_and_by_boot() {
    let mut seen = 0;
    for source in sources().iter().filter(|source| !source.is_test()) {
        for (room, names) in DRIVERS {
            let names_it = source
                .code()
                .filter(|line| !line.trim_start().starts_with("//"))
                .any(|line| names.iter().any(|name| line.contains(name)));
            let boot = source.room == "server" && source.path == Path::new("src/boot.rs");
            assert!(!names_it || boot || source.room == *room, "{} names a driver", source.place());
            seen += usize::from(names_it && boot);
        }
    }
    assert_eq!(seen, DRIVERS.len(), "boot names every driver");
}

#[test]
fn lints_are_expected_and_never_allowed() {
    // Assembled here, so that this file does not find itself.
    let needles = [concat!("#[all", "ow("), concat!("#![all", "ow(")];
    for source in sources() {
        let allows = source.text.lines().any(|line| {
            let line = line.trim_start();
            needles.iter().any(|needle| line.starts_with(needle))
        });
        assert!(!allows, "{} allows a lint: expect it, with a reason", source.place());
    }
}
