use super::*;

fn found(depth: u16, name: &[u8], kind: Kind) -> Found {
    Found { depth, name: name.to_vec(), kind, stat: Looks::default(), database: false }
}

fn file(depth: u16, name: &[u8]) -> Found {
    found(depth, name, Kind::File)
}

fn directory(depth: u16, name: &[u8]) -> Found {
    found(depth, name, Kind::Directory)
}

fn take(all: impl IntoIterator<Item = Found>) -> Result<Listing, io::Error> {
    let mut listing = Listing::default();
    all.into_iter().try_for_each(|found| listing.push(found)).map(|()| listing)
}

#[test]
fn what_can_be_is_taken_in_and_has_its_path() {
    let all = [
        directory(0, b"a"),
        directory(1, b"b"),
        file(2, b"\xff\n"),
        file(1, b"c"),
        file(0, b"a.txt"),
        found(0, b"z", Kind::Link(b"/etc/passwd".to_vec())),
    ];
    let listing = take(all).unwrap();
    let paths: Vec<_> = (0..6).map(|index| listing.path(index)).collect();
    let below = listing.below();
    let names = |parent| below[&parent].keys().copied().collect::<Vec<_>>();
    assert_eq!(names(None), [&b"a"[..], b"a.txt", b"z"]);
    assert_eq!(names(Some(0)), [&b"b"[..], b"c"]);
    assert_eq!(below[&Some(1)][&b"\xff\n"[..]], 2);
    assert_eq!(paths, [&b"a"[..], b"a/b", b"a/b/\xff\n", b"a/c", b"a.txt", b"z"]);
}

#[test]
fn what_cannot_be_is_refused() {
    let long = vec![b'n'; 256];
    for name in [&b""[..], b".", b"..", b"a/b", b"/etc", b"a\0b", &long] {
        assert!(take([file(0, name)]).is_err(), "{name:?}");
    }
    let target = |target: Vec<u8>| take([found(0, b"l", Kind::Link(target))]);
    assert!(target(vec![b'x'; 4096]).is_ok());
    assert!(target(vec![b'x'; 4097]).is_err(), "no link is so long");
    assert!(target(b"a\0".to_vec()).is_err(), "nor has a zero in it");
    assert!(take([file(1, b"a")]).is_err(), "in no directory");
    assert!(take([file(0, b"a"), file(1, b"b")]).is_err(), "in a file");
    let link = found(0, b"a", Kind::Link(b"/etc".to_vec()));
    assert!(take([link, file(1, b"passwd")]).is_err(), "behind a link");
    assert!(take([directory(0, b"a"), file(2, b"b")]).is_err(), "a level is missing");
    assert!(take([file(0, b"b"), file(0, b"a")]).is_err(), "out of order");
    assert!(take([file(0, b"a"), file(0, b"a")]).is_err(), "twice");
    let back = [directory(0, b"a"), file(1, b"x"), file(0, b"b"), file(1, b"y")];
    assert!(take(back).is_err(), "in a directory that is done");
}

#[test]
fn no_reader_fills_the_memory() {
    let names = (0..).map(|n: u64| file(0, format!("{n:0250}").as_bytes()));
    assert!(take(names).is_err());
    let short = (0..).map(|n: u64| file(0, format!("{n:08}").as_bytes()));
    assert!(take(short).is_err());
}

#[test]
fn a_digest_tells_states_apart_and_forgets_what_does_not_count() {
    let base = || {
        vec![
            directory(0, b"d"),
            file(1, b"x"),
            file(0, b"x-shm"),
            directory(0, b"y"),
            file(1, b"z"),
        ]
    };
    let digest = |all: Vec<Found>, without: &[usize]| take(all).unwrap().digest(without);
    let whole = digest(base(), &[2]);
    let mut other = base();
    other[2].stat.size = 7;
    assert_eq!(digest(other, &[2]), whole);
    let mut without = base();
    without.remove(2);
    assert_eq!(digest(without, &[]), whole, "whether it is there does not count either");
    let changes: [fn(&mut Looks); 5] = [
        |stat| stat.mode = 1,
        |stat| stat.size = 1,
        |stat| stat.inode = 1,
        |stat| stat.mtime.1 = 1,
        |stat| stat.ctime.1 = 1,
    ];
    for change in changes {
        let mut other = base();
        change(&mut other[4].stat);
        assert_ne!(digest(other, &[2]), whole);
    }
    let mut moved = base();
    moved[4].depth = 0;
    assert_ne!(digest(moved, &[2]), whole);
    let mut kind = base();
    kind[4].kind = Kind::Link(Vec::new());
    assert_ne!(digest(kind, &[2]), whole);
}
