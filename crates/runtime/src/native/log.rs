//! The engine's log: pages of it, and cutting it when it is long.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::LogPage;
use smartbox_core::sandbox::port::RuntimeError;

use super::Inner;
use super::error::blocking;

/// The longest page.
const PAGE: u64 = 256 << 10;

/// Where to read.
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
    blocking("reading the engine's log", move || match from {
        From::Offset(from) => read(&now, from),
        From::Tail(bytes) => tail(&now, &past, bytes.min(PAGE)),
    })
    .await
}

fn open(path: &Path) -> io::Result<Option<(File, u64)>> {
    match File::open(path) {
        Ok(file) => {
            let length = file.metadata()?.len();
            Ok(Some((file, length)))
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

fn read(path: &Path, from: u64) -> io::Result<LogPage> {
    let Some((mut file, length)) = open(path)? else { return Ok(LogPage::default()) };
    // Beyond the end: it was cut since, and what is there now is new to the reader.
    let from = if from > length { 0 } else { from };
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    let got = file.take(PAGE).read_to_end(&mut bytes)?;
    Ok(LogPage { bytes, next: from + u64::try_from(got).unwrap_or(0) })
}

fn tail(now: &Path, past: &Path, bytes: u64) -> io::Result<LogPage> {
    let length = open(now)?.map_or(0, |(_, length)| length);
    let page = read(now, length.saturating_sub(bytes))?;
    let missing = bytes.saturating_sub(u64::try_from(page.bytes.len()).unwrap_or(0));
    let older = match open(past)? {
        Some((_, length)) if missing > 0 => read(past, length.saturating_sub(missing))?.bytes,
        _ => Vec::new(),
    };
    Ok(LogPage { bytes: [older, page.bytes].concat(), next: page.next })
}

/// Keeps a copy of the log and empties it, if it is longer than this. Whoever appends goes on at
/// the start; what is written between the two is lost.
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

    #[test]
    fn a_log_is_read_in_pages_and_begins_anew_when_it_was_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.log");
        fs::write(&path, "one\ntwo\n").unwrap();
        let page = read(&path, 4).unwrap();
        assert_eq!((page.bytes.as_slice(), page.next), (&b"two\n"[..], 8));
        assert_eq!(read(&path, 8).unwrap().bytes, b"");
        cut(&path, 4).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
        fs::write(&path, "new\n").unwrap();
        assert_eq!(read(&path, 8).unwrap().bytes, b"new\n");
        let past = dir.path().join("engine.log.1");
        assert_eq!(tail(&path, &past, 6).unwrap().bytes, b"o\nnew\n");
    }

    #[test]
    fn no_log_is_an_empty_page() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("none");
        assert_eq!(read(&path, 5).unwrap(), LogPage::default());
        assert_eq!(tail(&path, &path, 5).unwrap(), LogPage::default());
        cut(&path, 0).unwrap();
    }
}
