//! A box with a home, a repository in a directory, and a way to compare two trees.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use smartbox_core::home::place::HomePlace;
use smartbox_core::snapshot::port::{Moment, Shelves, SnapshotError, TakeOrder, Taken, Takes};
use smartbox_core::snapshot::{Claim, Generation, RepositoryKey, RepositoryOf, SnapshotId};
use smartbox_core::time::Timestamp;
use smartbox_snapshot::{READER_ARG, Restic};
use tempfile::TempDir;

/// 2026-11-28 01:00 UTC.
pub(crate) const NOW: Timestamp = Timestamp(1_795_827_600_000);

/// The uid and gid of the box.
pub(crate) const BOX: u32 = 64_242;

/// The program that reads homes.
pub(crate) fn reader() -> Vec<OsString> {
    vec![env!("CARGO_BIN_EXE_smartbox-reader").into(), READER_ARG.into()]
}

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) of: RepositoryOf,
}

impl World {
    /// With a home that is empty, and no repository yet.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        // A box's own processes reach their home by another way than this directory, but not in a test.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let smartbox = "box_0123456789abcdefghjk".parse().unwrap();
        let bytes: [u8; 64] = std::array::from_fn(|n| n as u8 * 3 + 7);
        Self { dir, of: RepositoryOf { smartbox, key: RepositoryKey::new(bytes) } }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub(crate) fn storage(&self) -> PathBuf {
        self.dir.path().join("storage")
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.storage().join(self.of.smartbox.as_str()).join("repository")
    }

    pub(crate) fn driver(&self) -> Restic {
        Restic::directory(&self.storage()).unwrap().with_reader(reader())
    }

    pub(crate) fn order(&self, generation: u64) -> TakeOrder {
        let claim = Claim { generation: Generation(generation), fence: 4, at: NOW };
        let home = HomePlace {
            root: self.dir.path().to_owned(),
            home: self.home(),
            scratch: self.dir.path().join("scratch"),
            user: None,
        };
        let moment = Moment::AtRest;
        TakeOrder { home, moment, exclude: Vec::new(), claim, at: NOW, meter: None }
    }

    pub(crate) async fn take(&self, generation: u64) -> Result<Taken, SnapshotError> {
        self.driver().take(self.of.clone(), self.order(generation)).await
    }

    /// With these files in it.
    pub(crate) fn with(files: &[(&str, &[u8])]) -> Self {
        let world = Self::new();
        for (name, bytes) in files {
            fs::write(world.home().join(name), bytes).unwrap();
        }
        world
    }

    /// Gives everything in the home to a box's user, and says who that is.
    pub(crate) fn owned(&self) -> Option<(u32, u32)> {
        assert!(rustix::process::geteuid().is_root(), "these tests are of a platform that is root");
        let mut stack = vec![self.home()];
        while let Some(path) = stack.pop() {
            std::os::unix::fs::lchown(&path, Some(BOX), Some(BOX)).unwrap();
            if fs::symlink_metadata(&path).unwrap().is_dir() {
                stack.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
        }
        Some((BOX, BOX))
    }

    /// Takes with what `change` makes of the order.
    pub(crate) async fn take_as(
        &self,
        generation: u64,
        change: impl FnOnce(&mut TakeOrder),
    ) -> Result<Taken, SnapshotError> {
        let mut order = self.order(generation);
        change(&mut order);
        self.driver().take(self.of.clone(), order).await
    }

    /// Restores into a new directory, which is kept for a look.
    pub(crate) async fn back(&self, id: &SnapshotId) -> TempDir {
        let into = tempfile::tempdir_in(self.dir.path()).unwrap();
        let path = into.path().to_owned();
        self.driver().restore(self.of.clone(), id.clone(), path, None).await.unwrap();
        into
    }

    /// Restores into a new directory and says what is there.
    pub(crate) async fn restored(&self, id: &SnapshotId) -> Tree {
        let into = tempfile::tempdir_in(self.dir.path()).unwrap();
        let path = into.path().to_owned();
        self.driver().restore(self.of.clone(), id.clone(), path, None).await.unwrap();
        tree(into.path())
    }

    /// Over a store of the caller's.
    pub(crate) fn over(store: Arc<dyn ObjectStore>) -> Restic {
        Restic::new(store).with_reader(reader())
    }
}

/// What is in a tree, by path: kind, mode, contents or target, time, and which other paths are the same
/// file.
pub(crate) type Tree = BTreeMap<Vec<u8>, Thing>;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Thing {
    kind: char,
    mode: u32,
    mtime: Option<(i64, i64)>,
    bytes: Vec<u8>,
    linked: Vec<Vec<u8>>,
}

pub(crate) fn tree(root: &Path) -> Tree {
    let mut found = Tree::new();
    let mut inodes: BTreeMap<u64, Vec<Vec<u8>>> = BTreeMap::new();
    let mut stack = vec![root.to_owned()];
    let mut nodes = Vec::new();
    while let Some(dir) = stack.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec();
            let (kind, bytes) = if meta.is_dir() {
                stack.push(path);
                ('d', Vec::new())
            } else if meta.is_symlink() {
                ('l', fs::read_link(&path).unwrap().into_os_string().into_vec())
            } else if meta.is_file() {
                inodes.entry(meta.ino()).or_default().push(name.clone());
                ('f', fs::read(&path).unwrap())
            } else {
                ('?', Vec::new())
            };
            nodes.push((name, meta, kind, bytes));
        }
    }
    for (name, meta, kind, bytes) in nodes {
        let mut linked = inodes.get(&meta.ino()).cloned().unwrap_or_default();
        linked.sort();
        let mode = if kind == 'l' { 0 } else { meta.mode() & 0o7777 };
        let mtime = (kind == 'f').then(|| (meta.mtime(), meta.mtime_nsec()));
        found.insert(name, Thing { kind, mode, mtime, bytes, linked });
    }
    found
}

/// Bytes that do not compress, another run for each seed.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut out: Vec<u8> = Vec::with_capacity(len + 8);
    while out.len() < len {
        out.extend(next());
    }
    out.truncate(len);
    out
}

/// A home with one of each thing that can be odd about a file.
pub(crate) fn furnish(home: &Path) {
    let name = |bytes: &[u8]| home.join(std::ffi::OsStr::from_bytes(bytes));
    fs::create_dir_all(home.join("a/b/c/empty")).unwrap();
    fs::create_dir(home.join("a.dir")).unwrap();
    fs::write(home.join("a/b/large"), noise(1, 3_000_000)).unwrap();
    fs::write(home.join("a/b/same"), noise(1, 3_000_000)).unwrap();
    fs::write(home.join("a/none"), "").unwrap();
    fs::write(home.join("a.txt"), "between a and a/").unwrap();
    fs::write(home.join("sparse"), vec![0; 2_000_000]).unwrap();
    fs::write(home.join("secret"), "600").unwrap();
    fs::set_permissions(home.join("secret"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(home.join("run"), "#!/bin/true").unwrap();
    fs::set_permissions(home.join("run"), fs::Permissions::from_mode(0o751)).unwrap();
    fs::create_dir(home.join("readonly")).unwrap();
    fs::write(home.join("readonly/file"), "kept").unwrap();
    fs::set_permissions(home.join("readonly/file"), fs::Permissions::from_mode(0o400)).unwrap();
    fs::set_permissions(home.join("readonly"), fs::Permissions::from_mode(0o500)).unwrap();
    fs::create_dir(home.join("sticky")).unwrap();
    fs::set_permissions(home.join("sticky"), fs::Permissions::from_mode(0o1777)).unwrap();
    fs::write(home.join("one"), "hard").unwrap();
    fs::hard_link(home.join("one"), home.join("a/two")).unwrap();
    fs::hard_link(home.join("one"), home.join("zzz")).unwrap();
    symlink("one", home.join("soft")).unwrap();
    symlink("/nowhere/at all", home.join("dangling")).unwrap();
    symlink(std::ffi::OsStr::from_bytes(b"b\xff\xfeytes"), home.join("raw target")).unwrap();
    for odd in [
        &b"not \xff\xfe utf-8"[..],
        b"new\nline",
        b"tab\tand \x01\x7f",
        b"quote\" and \\ and '",
        b"*?[x]{y}",
        b" leading",
        b"-rf",
        "späť 🦀".as_bytes(),
        b"...",
        b"#1",
        b"x#1",
    ] {
        fs::write(name(odd), odd).unwrap();
    }
    fs::write(name(&[b'n'; 255]), "long").unwrap();
}
