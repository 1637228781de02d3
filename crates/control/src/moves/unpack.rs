//! A tar archive coming in. It may be anybody's: every name, length and kind in it is only claimed.

use std::io::{self, Read};

use tar::{Archive, Entry, EntryType, PaxExtensions};

use super::raw::{Head, Raw, clean};
use super::{damaged, failed, incoming, refused};
use crate::error::ControlError;

/// The longest record beside an entry: its real name, and where a link leads.
const RECORD: u64 = 64 << 10;

/// What records say of the entry that follows them.
#[derive(Default)]
struct Told {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Unpacks an archive, whatever it is compressed by, beneath a directory of what came in.
pub(super) fn unpack(
    raw: &mut Raw,
    beneath: &[u8],
    bytes: impl Read + Send + 'static,
) -> Result<(), ControlError> {
    let plain = incoming::plain(bytes).map_err(read)?;
    let mut archive = Archive::new(plain);
    let before = raw.items.len() + raw.passed.len();
    let mut told = Told::default();
    // As they lie in it: the library would keep a record of any length in memory.
    for entry in archive.entries().map_err(read)?.raw(true) {
        let mut entry = entry.map_err(read)?;
        match entry.header().entry_type() {
            EntryType::XGlobalHeader => drop(record(&mut entry)?),
            EntryType::GNULongName => told.path = Some(text(&mut entry)?),
            EntryType::GNULongLink => told.target = Some(text(&mut entry)?),
            EntryType::XHeader => extend(&mut told, &record(&mut entry)?)?,
            kind => one(raw, beneath, &mut entry, kind, std::mem::take(&mut told))?,
        }
    }
    if raw.items.len() + raw.passed.len() == before { Err(damaged()) } else { Ok(()) }
}

fn one<R: Read>(
    raw: &mut Raw,
    beneath: &[u8],
    entry: &mut Entry<'_, R>,
    kind: EntryType,
    told: Told,
) -> Result<(), ControlError> {
    let path = clean(&told.path.unwrap_or_else(|| entry.path_bytes().into_owned()))?;
    let path = join(beneath, &path);
    if told.size.is_some_and(|size| size != entry.size()) {
        return Err(refused(
            "a file in it is longer than 8 GiB",
            "leave it out, and copy it by itself",
        ));
    }
    let target = told.target.or_else(|| entry.link_name_bytes().map(Into::into));
    let mode = entry.header().mode().unwrap_or(0o600);
    let modified = entry.header().mtime().unwrap_or(0);
    let head = Head { path, mode, modified };
    match kind {
        EntryType::Regular | EntryType::Continuous if head.path.ends_with(b"/") => {
            raw.directory(head.path, 0o700)
        }
        EntryType::Regular | EntryType::Continuous => raw.file(head, entry),
        EntryType::Directory => raw.directory(head.path, mode & 0o777 | 0o700),
        EntryType::Symlink => raw.link(head.path, target.ok_or_else(damaged)?),
        EntryType::Link => {
            let target = clean(&target.ok_or_else(damaged)?)?;
            raw.same(head, &join(beneath, &target))
        }
        EntryType::GNUSparse => {
            raw.pass(head.path, "it is a sparse file: make the archive without `-S`")
        }
        _ => raw.pass(head.path, "it is neither file nor directory nor link"),
    }
}

fn record<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, ControlError> {
    if entry.size() > RECORD {
        return Err(damaged());
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(read)?;
    Ok(bytes)
}

fn text<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, ControlError> {
    let mut bytes = record(entry)?;
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    Ok(bytes)
}

fn extend(told: &mut Told, record: &[u8]) -> Result<(), ControlError> {
    for pair in PaxExtensions::new(record) {
        let pair = pair.map_err(|_| damaged())?;
        let value = pair.value_bytes();
        match pair.key_bytes() {
            b"path" => told.path = Some(value.to_vec()),
            b"linkpath" => told.target = Some(value.to_vec()),
            b"size" => {
                let size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
                told.size = Some(size.ok_or_else(damaged)?);
            }
            _ => {}
        }
    }
    Ok(())
}

fn join(dir: &[u8], rest: &[u8]) -> Vec<u8> {
    if dir.is_empty() || rest.is_empty() { [dir, rest].concat() } else { [dir, rest].join(&b'/') }
}

/// What the libraries say of bytes that they cannot read is that the archive is damaged.
fn read(error: io::Error) -> ControlError {
    match error.kind() {
        io::ErrorKind::Other | io::ErrorKind::InvalidInput => damaged(),
        _ => failed("reading an archive", error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use smartbox_core::home::port::FileError;

    use super::*;

    fn raw(room: u64) -> (tempfile::TempDir, Raw) {
        let dir = tempfile::tempdir().unwrap();
        let raw = Raw::new(dir.path().join("raw"), room).unwrap();
        (dir, raw)
    }

    fn head(kind: EntryType, size: u64) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_path("x").unwrap();
        header.set_mode(0o600);
        header.set_size(size);
        header.set_cksum();
        header.as_bytes().to_vec()
    }

    /// Bytes that are short as long as they are compressed.
    fn bomb(kind: EntryType, size: u64) -> Vec<u8> {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
        blow_up(&mut encoder, kind, size);
        encoder.finish().unwrap()
    }

    fn zipped(kind: EntryType, size: u64) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        blow_up(&mut encoder, kind, size);
        encoder.finish().unwrap()
    }

    fn blow_up(into: &mut impl Write, kind: EntryType, size: u64) {
        into.write_all(&head(kind, size)).unwrap();
        let zeros = vec![0; 1 << 20];
        for _ in 0..size >> 20 {
            into.write_all(&zeros).unwrap();
        }
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        // One announces what it holds, and one says that it holds a hundred times as much as it does.
        let big = 64 << 20;
        let lies = [head(EntryType::Regular, 100 * big), vec![0; 1 << 20]].concat();
        for bytes in [bomb(EntryType::Regular, big), zipped(EntryType::Regular, big), lies] {
            assert!(bytes.len() < 2 << 20);
            let (_dir, mut raw) = raw(8 << 20);
            let full = unpack(&mut raw, b"", io::Cursor::new(bytes));
            assert!(full.is_err(), "{full:?}");
            let there = std::fs::metadata(raw.root.join("x")).map_or(0, |found| found.len());
            assert!(there <= 8 << 20, "{there}");
        }
    }

    #[test]
    fn a_record_that_is_long_is_not_kept_in_memory() {
        for kind in [EntryType::GNULongName, EntryType::GNULongLink, EntryType::XHeader] {
            let (_dir, mut raw) = raw(8 << 20);
            let refused = unpack(&mut raw, b"", io::Cursor::new(bomb(kind, 4 << 20)));
            assert!(matches!(refused, Err(ControlError::Refused { .. })), "{refused:?}");
        }
    }

    #[test]
    fn many_empty_things_take_room_too() {
        let mut builder = tar::Builder::new(Vec::new());
        for n in 0..100 {
            let mut header = tar::Header::new_gnu();
            header.set_size(0);
            builder.append_data(&mut header, format!("f{n}"), io::empty()).unwrap();
        }
        let bytes = builder.into_inner().unwrap();
        let (_dir, mut raw) = raw(10 << 10);
        let full = unpack(&mut raw, b"", io::Cursor::new(bytes));
        assert!(matches!(full, Err(ControlError::File(FileError::Full))), "{full:?}");
    }

    #[test]
    fn of_one_name_the_last_counts_and_another_name_is_a_copy() {
        let mut builder = tar::Builder::new(Vec::new());
        for text in ["first", "second"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o4777);
            builder.append_data(&mut header, "a", text.as_bytes()).unwrap();
        }
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(EntryType::Link);
        header.set_size(0);
        builder.append_link(&mut header, "b", "a").unwrap();
        let (_dir, mut raw) = raw(1 << 20);
        unpack(&mut raw, b"in", io::Cursor::new(builder.into_inner().unwrap())).unwrap();
        for name in ["a", "b"] {
            assert_eq!(std::fs::read(raw.root.join("in").join(name)).unwrap(), b"second");
        }
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(raw.root.join("in/a")).unwrap().permissions(),
        );
        assert_eq!(mode & 0o7777, 0o777, "nobody becomes somebody else by it");
        assert_eq!(raw.found().len(), 2);
    }
}
