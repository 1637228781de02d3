//! Files of homes: what every driver must do, and what a hostile box tries meanwhile.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::StreamExt;
use smartbox_core::home::port::{FileError, Homes};
use smartbox_core::home::{FileChange, FileKind, FilePath, HomeOf, Precondition, WriteOrder};
use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::Shift;
use smartbox_core::sandbox::port::{Kept, Runtime};
use smartbox_runtime::Profile;
use smartbox_runtime::sim::Sim;

use crate::bench::{Bench, link, new_id, spec};

fn of(id: &SmartboxId) -> HomeOf {
    let spec = spec(id, 1, "/nowhere".into());
    HomeOf { smartbox: id.clone(), slot: spec.slot, disk_bytes: spec.limits.disk_bytes }
}

fn order() -> WriteOrder {
    WriteOrder { parents: true, ..WriteOrder::default() }
}

/// What tests do with one home.
pub(crate) struct Hands<'a> {
    homes: &'a dyn Homes,
    of: HomeOf,
}

impl<'a> Hands<'a> {
    fn new(homes: &'a dyn Homes, id: &SmartboxId) -> Self {
        Self { homes, of: of(id) }
    }

    async fn write(&self, path: &str, bytes: &[u8]) -> Result<String, FileError> {
        self.write_as(path, bytes, order()).await
    }

    async fn write_as(
        &self,
        path: &str,
        bytes: &[u8],
        order: WriteOrder,
    ) -> Result<String, FileError> {
        let mut draft = self.homes.write(self.of.clone(), path.into(), order).await?;
        draft.add(Bytes::copy_from_slice(bytes)).await?;
        Ok(draft.place().await?.tag)
    }

    async fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.part(path, 0, u64::MAX).await
    }

    async fn part(&self, path: &str, from: u64, len: u64) -> Result<Vec<u8>, FileError> {
        let opened = self.homes.open(self.of.clone(), path.into()).await?;
        let len = len.min(opened.entry().size);
        let mut pieces = opened.pieces(from, len);
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.next().await {
            bytes.extend(piece?);
        }
        Ok(bytes)
    }

    async fn names(&self, path: &str) -> Result<Vec<String>, FileError> {
        let page = self.homes.list(self.of.clone(), path.into(), None, 1000).await?;
        let text = |name: Vec<u8>| String::from_utf8_lossy(&name).into_owned();
        Ok(page.entries.into_iter().map(|entry| text(entry.name)).collect())
    }

    async fn kind(&self, path: &str) -> Result<FileKind, FileError> {
        Ok(self.homes.look(self.of.clone(), path.into()).await?.kind)
    }

    async fn change(&self, path: &str, change: FileChange) -> Result<(), FileError> {
        self.homes.change(self.of.clone(), path.into(), change).await.map(drop)
    }

    async fn remove(&self, path: &str, recursive: bool) -> Result<(), FileError> {
        let condition = Precondition::Any;
        self.change(path, FileChange::Remove { recursive, condition }).await
    }
}

fn bad<T: std::fmt::Debug>(result: &Result<T, FileError>) {
    assert!(matches!(result, Err(FileError::Bad { .. })), "{result:?}");
}

fn unfit<T: std::fmt::Debug>(result: &Result<T, FileError>) {
    assert!(matches!(result, Err(FileError::Unfit { .. })), "{result:?}");
}

fn absent<T: std::fmt::Debug>(result: &Result<T, FileError>) {
    assert!(matches!(result, Err(FileError::Absent)), "{result:?}");
}

/// Of a home that was never made, and by paths that lead out of any.
async fn nothing(hands: &Hands<'_>) {
    assert_eq!(hands.names("").await.unwrap(), Vec::<String>::new());
    absent(&hands.read("notes/a").await);
    absent(&hands.names("notes").await);
    for path in ["../x", "/etc/passwd", "a/../../x", "a\0b", &"n".repeat(300)] {
        bad(&hands.read(path).await);
        bad(&hands.write(path, b"x").await);
        bad(&hands.remove(path, true).await);
        bad(&hands.names(path).await);
    }
    for path in ["", ".", "a/"] {
        bad(&hands.write(path, b"x").await);
    }
    for path in ["", "."] {
        bad(&hands.remove(path, true).await);
    }
}

/// What every driver must do; the box was never started.
pub(crate) async fn suite(homes: &dyn Homes, id: &SmartboxId) {
    let hands = Hands::new(homes, id);
    nothing(&hands).await;
    absent(&hands.write_as("notes/a", b"x", WriteOrder::default()).await);
    let first = hands.write("notes/a", b"0123456789").await.unwrap();
    assert_eq!(hands.read("notes/a").await.unwrap(), b"0123456789");
    assert_eq!(hands.part("notes/a", 3, 4).await.unwrap(), b"3456");
    assert_eq!(hands.part("./notes//a", 8, 10).await.unwrap(), b"89");
    assert_eq!(hands.kind("notes").await.unwrap(), FileKind::Directory);
    unfit(&hands.read("notes").await);
    unfit(&hands.write("notes", b"x").await);
    unfit(&hands.write("notes/a/b", b"x").await);
    unfit(&hands.names("notes/a").await);

    let when = |condition| WriteOrder { condition, ..order() };
    let exists = hands.write_as("notes/a", b"x", when(Precondition::Absent)).await;
    assert!(matches!(exists, Err(FileError::Exists)), "{exists:?}");
    let one_of = |tag: &str| when(Precondition::OneOf(vec!["other".into(), tag.into()]));
    let second = hands.write_as("notes/a", b"second", one_of(&first)).await.unwrap();
    let stale = hands.write_as("notes/a", b"third", one_of(&first)).await;
    assert!(matches!(stale, Err(FileError::Changed)), "{stale:?}");
    let mode = WriteOrder { mode: Some(0o750), ..one_of(&second) };
    hands.write_as("notes/a", b"second", mode).await.unwrap();
    hands.write("notes/a", b"third").await.unwrap();
    let entry = homes.look(of(id), "notes/a".into()).await.unwrap();
    assert_eq!((entry.mode, entry.size, entry.name.as_slice()), (0o750, 5, &b"a"[..]));

    // Given up in the middle: nothing is seen of it.
    let mut draft = homes.write(of(id), "notes/half".into(), order()).await.unwrap();
    draft.add(Bytes::from_static(b"half")).await.unwrap();
    absent(&hands.read("notes/half").await);
    drop(draft);
    assert_eq!(hands.names("notes").await.unwrap(), ["a"]);

    let make = |parents| FileChange::MakeDirectory { parents };
    absent(&hands.change("x/y", make(false)).await);
    hands.change("x/y", make(true)).await.unwrap();
    hands.change("x/y", make(true)).await.unwrap();
    let again = hands.change("x/y", make(false)).await;
    assert!(matches!(again, Err(FileError::Exists)), "{again:?}");
    let rename = |to: &str, replace| FileChange::Rename { to: to.into(), replace };
    hands.change("notes", rename("x/y/notes", false)).await.unwrap();
    assert_eq!(hands.read("x/y/notes/a").await.unwrap(), b"third");
    absent(&hands.names("notes").await);
    hands.write("b", b"b").await.unwrap();
    let taken = hands.change("b", rename("x/y/notes/a", false)).await;
    assert!(matches!(taken, Err(FileError::Exists)), "{taken:?}");
    hands.change("b", rename("x/y/notes/a", true)).await.unwrap();
    bad(&hands.change("x", rename("../x", true)).await);

    let mut found = Vec::new();
    for n in 0..5 {
        hands.write(&format!("many/{n}"), b"").await.unwrap();
    }
    let mut after = None;
    loop {
        let page = homes.list(of(id), "many".into(), after, 2).await.unwrap();
        found.extend(page.entries.into_iter().map(|entry| entry.name));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, [b"0", b"1", b"2", b"3", b"4"]);

    unfit(&hands.remove("x", false).await);
    hands.remove("x", true).await.unwrap();
    absent(&hands.kind("x").await);
    absent(&hands.remove("x", true).await);
    let full = hands.write("big", &vec![0; (64 << 20) + 1]).await;
    assert!(matches!(full, Err(FileError::Full)), "{full:?}");
    absent(&hands.kind("big").await);
}

#[tokio::test]
async fn the_simulated_homes_conform() {
    let sim = Sim::new(Arc::new(|_, _| Box::pin(async {})));
    suite(&*sim, &new_id()).await;
}

#[tokio::test]
async fn the_native_homes_conform() {
    let bench = Bench::new(Profile::Auto).await;
    let id = new_id();
    suite(&bench.native, &id).await;
    bench.native.kept(id.clone(), Kept::Forget).await.unwrap();
    assert!(!bench.native.home(&id).exists());
    bench.clean().await;
}

/// Asleep, awake, frozen: the same files, which belong to the box, and nobody is woken for them.
#[tokio::test]
async fn files_are_the_boxs_own_in_every_state() {
    let bench = Bench::new(Profile::Auto).await;
    let id = new_id();
    states(&bench, &id).await;
    bench.clean().await;
}

pub(crate) async fn states(bench: &Bench, id: &SmartboxId) {
    let hands = Hands::new(&bench.native, id);
    hands.write("asleep/file", b"one").await.unwrap();
    bench.native.start(bench.spec(id, 1)).await.unwrap();
    let says = bench.says(id, &["/bin/sh", "-c", "cat asleep/file; echo two > asleep/own"]).await;
    assert_eq!(says, "one");
    hands.write("awake", b"three").await.unwrap();
    // The box may do with it as it likes.
    bench.says(id, &["/bin/sh", "-c", "echo more >> awake; rm asleep/file"]).await;
    assert_eq!(hands.read("awake").await.unwrap(), b"threemore\n");
    bench.native.shift(id.clone(), Shift::Freeze { page_out: false }).await.unwrap();
    assert_eq!(hands.read("asleep/own").await.unwrap(), b"two\n");
    hands.write("frozen", b"four").await.unwrap();
    bench.native.shift(id.clone(), Shift::Remove).await.unwrap();
    assert_eq!(hands.read("frozen").await.unwrap(), b"four");
    let home = bench.native.home(id);
    let owner = std::fs::metadata(&home).unwrap().uid();
    for path in ["asleep", "awake", "frozen", ".smartbox", ".smartbox/incoming"] {
        assert_eq!(std::fs::metadata(home.join(path)).unwrap().uid(), owner, "{path}");
    }
}

/// A box that works against us the whole time: a directory is a link to the host one moment and a
/// directory the next.
#[tokio::test]
async fn a_box_that_swaps_links_gets_nothing() {
    let bench = Bench::new(Profile::Auto).await;
    let (id, other) = (bench.up().await, bench.up().await);
    swaps(&bench, &id, &other).await;
    bench.clean().await;
}

const ROUNDS: usize = 300;

pub(crate) async fn swaps(bench: &Bench, id: &SmartboxId, other: &SmartboxId) {
    let outside = bench.config.data_dir.join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("file"), "the platform's").unwrap();
    let hers = bench.native.home(other);
    std::fs::write(hers.join("file"), "hers").unwrap();
    let script = format!(
        "mkdir dir; echo mine > dir/file; ln -s {} a; ln -s {} b; ln -s ../../../home c; \
         ln -s /etc etc; exec /opt/engine/probe swap dir a b c",
        outside.display(),
        hers.display(),
    );
    let link = link(&bench.native, id, 1).await;
    let mut exec = link.exec(crate::bench::order(&["/bin/sh", "-c", &script])).await.unwrap();
    let (native, stop) = (&bench.native, Arc::new(AtomicBool::new(false)));
    exec.next().await.unwrap();
    let ended = stop.clone();
    // Its complaints are of no interest, but must not hold it up.
    let running = tokio::spawn(async move {
        while !ended.load(Ordering::SeqCst) && matches!(exec.next().await, Ok(Some(_))) {}
    });
    let hands = Hands::new(native, id);
    let mut met = [0; 2];
    for round in 0..ROUNDS {
        match hands.read("dir/file").await {
            Ok(bytes) => {
                met[0] += 1;
                assert_ne!(bytes, b"the platform's");
                assert_ne!(bytes, b"hers");
            }
            Err(_) => met[1] += 1,
        }
        if let Ok(names) = hands.names("dir").await {
            let ours = |name: &String| name == "file" || name == "made" || name.starts_with("new");
            assert!(names.iter().all(ours), "{names:?}");
        }
        let _ = hands.write(&format!("dir/new{round}"), b"x").await;
        let _ = hands.remove(&format!("dir/new{round}"), false).await;
        let _ = hands.change("dir/made", FileChange::MakeDirectory { parents: true }).await;
        let _ = hands.remove("dir/made", true).await;
        for path in ["etc/passwd", "etc/hostname"] {
            assert!(hands.read(path).await.is_err());
            assert!(hands.write(path, b"x").await.is_err());
            assert!(hands.remove(path, false).await.is_err());
        }
    }
    // A tree that is swapped under its removal: the link goes, never what it leads to.
    let _ = hands.remove("dir", true).await;
    stop.store(true, Ordering::SeqCst);
    bench.native.shift(id.clone(), Shift::Remove).await.unwrap();
    let _ = running.await;
    for (dir, text) in [(&outside, "the platform's"), (&hers, "hers")] {
        assert_eq!(std::fs::read_to_string(dir.join("file")).unwrap(), text);
        let visible = std::fs::read_dir(dir).unwrap().flatten();
        let names: Vec<_> = visible.map(|entry| entry.file_name()).collect();
        let theirs = |name: &&std::ffi::OsString| *name != "file" && *name != "secret";
        assert_eq!(names.iter().find(theirs), None, "nothing was made there");
    }
    assert!(met[0] > 0 && met[1] > 0, "the box swapped nothing: {met:?}");
}

/// What is no file, is too large, too many or too oddly named.
#[tokio::test]
async fn odd_things_in_a_home_are_told_and_hold_nobody_up() {
    let bench = Bench::new(Profile::Auto).await;
    let id = bench.up().await;
    oddities(&bench, &id).await;
    bench.clean().await;
}

pub(crate) async fn oddities(bench: &Bench, id: &SmartboxId) {
    let line = "mkfifo pipe; truncate -s 50G sparse 2>/dev/null || truncate -s 60M sparse; \
                mkdir many; cd many; seq 1 100000 | xargs touch; cd ..; \
                printf x > \"$(printf 'new\\nline\\033[31m')\"; printf x > \"$(printf 'bad\\377')\"; \
                ln -s loop loop; echo hard > hard; ln hard harder; mkdir shut; chmod 0 shut; \
                mkdir deep; cd deep; i=0; while [ $i -lt 300 ]; do mkdir d; cd d; i=$((i+1)); done";
    bench.says(id, &["/bin/sh", "-c", line]).await;
    let hands = Hands::new(&bench.native, id);
    unfit(&hands.read("pipe").await);
    assert_eq!(hands.kind("pipe").await.unwrap(), FileKind::Other);
    unfit(&hands.read("loop").await);
    assert_eq!(hands.kind("loop").await.unwrap(), FileKind::Link);
    // Read where it is asked for, not whole.
    assert_eq!(hands.part("sparse", 1 << 20, 10).await.unwrap(), [0; 10]);
    let page = Homes::list(&bench.native, of(id), "many".into(), None, 1000).await.unwrap();
    assert_eq!((page.entries.len(), page.next.is_some()), (1000, true));
    let names = hands.names("").await.unwrap();
    assert!(names.contains(&"new\nline\u{1b}[31m".to_owned()), "{names:?}");
    let odd = FilePath(b"bad\xff".to_vec());
    assert_eq!(bench.native.look(of(id), odd).await.unwrap().name, b"bad\xff");
    // A hard link is a file like any other: the other name keeps its content.
    hands.write("hard", b"new").await.unwrap();
    assert_eq!(hands.read("harder").await.unwrap(), b"hard\n");
    hands.write("pipe", b"a file now").await.unwrap();
    assert_eq!(hands.read("pipe").await.unwrap(), b"a file now");
    if bench.native.host_uid(0).is_some() {
        let shut = hands.write("shut/file", b"x").await;
        assert!(matches!(shut, Err(FileError::Forbidden)), "{shut:?}");
    }
    for name in ["many", "deep", "shut"] {
        hands.remove(name, true).await.unwrap();
    }
    absent(&hands.kind("deep").await);
}

/// Half-made files of a process that died are gone with the next one.
#[tokio::test]
async fn rests_of_a_dead_platform_are_removed() {
    let bench = Bench::new(Profile::Auto).await;
    let id = new_id();
    let hands = Hands::new(&bench.native, &id);
    hands.write("f", b"x").await.unwrap();
    let incoming = bench.native.home(&id).join(".smartbox/incoming");
    let count = || std::fs::read_dir(&incoming).unwrap().count();
    std::fs::write(incoming.join("rest"), "half").unwrap();
    // As long as somebody works on it, it stays.
    let draft = bench.native.write(of(&id), "g".into(), order()).await.unwrap();
    std::fs::write(incoming.join("rest"), "half").unwrap();
    let next = smartbox_runtime::Native::open(bench.config.clone()).await.unwrap();
    assert_eq!(count(), 1);
    draft.place().await.unwrap();
    assert_eq!(count(), 0);
    drop(next);
    bench.native.kept(id, Kept::Forget).await.unwrap();
    bench.clean().await;
}
