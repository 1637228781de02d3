//! The engine's log: pages of it, by places that hold however often its files are turned over; and
//! cutting init's own files when they are long.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::LogPage;
use smartbox_core::sandbox::port::RuntimeError;
use smartbox_link::log::{HEAD_MAX, base};

use super::Inner;
use super::error::blocking;

/// The longest page.
const PAGE: u64 = 256 << 10;
/// How often one begins again because the files were turned over meanwhile.
const TRIES: usize = 16;

/// Where to read.
#[derive(Clone, Copy)]
pub(super) enum From {
    /// From this offset on.
    Offset(u64),
    /// So many last bytes.
    Tail(u64),
}

pub(super) async fn page(
    inner: &Inner,
    id: &SmartboxId,
    from: From,
) -> Result<LogPage, RuntimeError> {
    let dir = inner.dir(id);
    let (now, past) = (dir.log("engine.log"), dir.log("engine.log.1"));
    blocking("reading the engine's log", move || read(&now, &past, from)).await
}

/// A page of the log in its two files. Init turns them over whenever it likes: what was read counts
/// only if they begin where they began before.
fn read(now: &Path, past: &Path, from: From) -> io::Result<LogPage> {
    for _ in 0..TRIES {
        let (newer, older) = (Half::open(now)?, Half::open(past)?);
        let page = between(older.as_ref(), newer.as_ref(), from)?;
        if [&newer, &older].into_iter().flatten().all(Half::is_still) {
            return Ok(page);
        }
    }
    Err(io::Error::other("the log moves on faster than it is read"))
}

/// One file of the log: the bytes of the whole log that it has.
struct Half {
    file: File,
    head: u64,
    from: u64,
    to: u64,
}

impl Half {
    fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let (from, head) = first_line(&file)?;
        let length = file.metadata()?.len();
        let to = from.saturating_add(length.saturating_sub(head));
        Ok(Some(Self { file, head, from, to }).filter(|_| length > 0))
    }

    /// Whether it still begins where it did.
    fn is_still(&self) -> bool {
        first_line(&self.file).is_ok_and(|first| first == (self.from, self.head))
    }

    fn read(&self, from: u64, to: u64) -> io::Result<Vec<u8>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.head.saturating_add(from.saturating_sub(self.from))))?;
        let mut bytes = Vec::new();
        file.take(to.min(self.to).saturating_sub(from)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn first_line(file: &File) -> io::Result<(u64, u64)> {
    let mut bytes = [0; HEAD_MAX];
    let len = file.read_at(&mut bytes, 0)?;
    Ok(base(&bytes[..len]))
}

/// A page out of two files, the older of which may be there, begin late or end early.
fn between(older: Option<&Half>, newer: Option<&Half>, from: From) -> io::Result<LogPage> {
    let Some(last) = newer.or(older) else { return Ok(LogPage::default()) };
    // Of what both have, the newer is whole.
    let older = older.filter(|older| older.from < last.from);
    let (oldest, end) = (older.map_or(last.from, |older| older.from), last.to);
    let mut from = match from {
        From::Tail(bytes) => end.saturating_sub(bytes.min(PAGE)).max(oldest),
        // Beyond the end: it is another log by now, and what is there is new to the reader.
        From::Offset(from) if from > end => oldest,
        From::Offset(from) => from.max(oldest),
    };
    let mut bytes = match older {
        Some(older) if from < older.to => older.read(from, last.from.min(from + PAGE))?,
        _ => Vec::new(),
    };
    if bytes.is_empty() {
        from = from.max(last.from);
    }
    let at = from + bytes.len() as u64;
    if at >= last.from {
        bytes.extend(last.read(at, from + PAGE)?);
    }
    Ok(LogPage { next: from + bytes.len() as u64, from, bytes })
}

/// Keeps a copy of a file of init's and empties it, if it is longer than this. Whoever appends goes
/// on at the start; what is written between the two is lost.
pub(super) fn cut(path: &Path, longest: u64) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(meta) if meta.len() > longest => {}
        Ok(_) => return Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    }
    let mut past = path.as_os_str().to_owned();
    past.push(".1");
    fs::copy(path, &past)?;
    File::options().write(true).open(path)?.set_len(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Files(tempfile::TempDir);

    impl Files {
        fn new(older: &str, newer: &str) -> Self {
            let files = Self(tempfile::tempdir().unwrap());
            fs::write(files.0.path().join("log.1"), older).unwrap();
            fs::write(files.0.path().join("log"), newer).unwrap();
            files
        }

        fn at(&self, from: From) -> (u64, String, u64) {
            let dir = self.0.path();
            let page = read(&dir.join("log"), &dir.join("log.1"), from).unwrap();
            (page.from, String::from_utf8(page.bytes).unwrap(), page.next)
        }
    }

    #[test]
    fn a_place_keeps_its_number_when_the_files_are_turned_over() {
        let files = Files::new("#smartbox-log 100\nabcde", "#smartbox-log 105\nfgh");
        assert_eq!(files.at(From::Offset(102)), (102, "cdefgh".into(), 108));
        assert_eq!(files.at(From::Offset(106)), (106, "gh".into(), 108));
        assert_eq!(files.at(From::Offset(108)), (108, String::new(), 108));
        assert_eq!(files.at(From::Tail(4)), (104, "efgh".into(), 108));
        assert_eq!(files.at(From::Tail(99)), (100, "abcdefgh".into(), 108));
    }

    #[test]
    fn what_is_gone_is_passed_over_and_the_page_says_where_it_begins() {
        let files = Files::new("#smartbox-log 100\nabcde", "#smartbox-log 105\nfgh");
        assert_eq!(files.at(From::Offset(7)), (100, "abcdefgh".into(), 108));
        assert_eq!(files.at(From::Offset(1 << 40)), (100, "abcdefgh".into(), 108));
        // A disk that was full: the copy is not whole.
        let files = Files::new("#smartbox-log 100\nab", "#smartbox-log 105\nfgh");
        assert_eq!(files.at(From::Offset(100)), (100, "ab".into(), 102));
        assert_eq!(files.at(From::Offset(102)), (105, "fgh".into(), 108));
    }

    #[test]
    fn a_moment_of_turning_over_shows_nothing_twice() {
        let files = Files::new("#smartbox-log 105\nfg", "#smartbox-log 105\nfgh");
        assert_eq!(files.at(From::Offset(0)), (105, "fgh".into(), 108));
        let files = Files::new("#smartbox-log 105\nfgh", "");
        assert_eq!(files.at(From::Offset(106)), (106, "gh".into(), 108));
    }

    #[test]
    fn no_log_is_an_empty_page_and_one_without_its_first_line_begins_at_its_start() {
        assert_eq!(Files::new("", "").at(From::Offset(5)), (0, String::new(), 0));
        assert_eq!(Files::new("", "abc").at(From::Offset(1)), (1, "bc".into(), 3));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("none");
        assert_eq!(read(&path, &path, From::Tail(5)).unwrap(), LogPage::default());
        cut(&path, 0).unwrap();
    }

    #[test]
    fn a_first_line_that_lies_is_survived() {
        let far = format!("#smartbox-log {}\nabc", 1_u64 << 62);
        let files = Files::new("#smartbox-log 9\nxyz", &far);
        assert_eq!(files.at(From::Offset(u64::MAX)).1, "xyz");
        assert_eq!(files.at(From::Tail(u64::MAX)).1, "abc");
        assert_eq!(Files::new(&far, "#smartbox-log 3\nd").at(From::Offset(0)).1, "d");
    }

    #[test]
    fn an_own_file_of_inits_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("init.log");
        fs::write(&path, "one\ntwo\n").unwrap();
        cut(&path, 8).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 8);
        cut(&path, 4).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    }
}
