//! An archive of ours: how it is written, and whether one that came in is whole.

use std::io::{self, Read, Write};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use smartbox_core::moves::{BOX, FORMAT, HOME, MANIFEST, Manifest, Part, Record, history_part};
use smartbox_core::time::Timestamp;
use tar::{Archive, Builder, EntryType, Header};
use tokio::sync::mpsc;

use super::incoming::Incoming;
use super::raw::{Item, Raw, What};
use super::{damaged, refused};
use crate::error::ControlError;

/// Bytes that leave in one piece.
const PIECE: usize = 256 << 10;
/// As quick as copying, and half as long.
const LEVEL: i32 = 3;
/// The longest record or manifest.
const SMALL: u64 = 1 << 20;

/// What is to be written, besides the home.
pub(super) struct Head {
    pub(super) record: Record,
    pub(super) engine_version: String,
    pub(super) now: Timestamp,
}

/// The end that an archive leaves by.
pub(super) struct Outgoing {
    pub(super) pieces: mpsc::Sender<io::Result<Bytes>>,
    pub(super) piece: Vec<u8>,
}

impl Outgoing {
    pub(super) fn new(pieces: mpsc::Sender<io::Result<Bytes>>) -> Self {
        Self { pieces, piece: Vec::with_capacity(PIECE) }
    }
}

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.pieces.blocking_send(Ok(piece.into())).map_err(gone)
    }
}

/// Writes an archive: history comes piece by piece, the home as a tar stream of its own.
pub(super) fn write(
    head: &Head,
    mut history: mpsc::Receiver<io::Result<Bytes>>,
    home: Incoming,
    out: Outgoing,
) -> io::Result<()> {
    let mut tar = Builder::new(zstd::stream::write::Encoder::new(out, LEVEL)?);
    let mut parts = Vec::new();
    let record = serde_json::to_vec_pretty(&head.record)?;
    parts.push(whole(&mut tar, head, BOX.into(), &record, 1)?);
    let mut number = 0;
    let mut ended = false;
    while let Some(lines) = history.blocking_recv().transpose()? {
        if lines.is_empty() {
            ended = true;
            break;
        }
        number += 1;
        let count = lines.iter().filter(|byte| **byte == b'\n').count() as u64;
        parts.push(whole(&mut tar, head, history_part(number), &lines, count)?);
    }
    if !ended {
        return Err(io::Error::other("the history could not be read to its end"));
    }
    parts.push(pass_home(&mut tar, home)?);
    let manifest = Manifest {
        format: FORMAT,
        made_by: env!("CARGO_PKG_VERSION").to_owned(),
        made: head.now,
        engine_version: head.engine_version.clone(),
        parts,
    };
    whole(&mut tar, head, MANIFEST.into(), &serde_json::to_vec_pretty(&manifest)?, 1)?;
    tar.into_inner()?.finish()?.flush()
}

fn whole(
    tar: &mut Builder<impl Write>,
    head: &Head,
    name: String,
    bytes: &[u8],
    count: u64,
) -> io::Result<Part> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_size(bytes.len() as u64);
    header.set_mtime(u64::try_from(head.now.0 / 1000).unwrap_or(0));
    tar.append_data(&mut header, &name, bytes)?;
    let sha256 = hex::encode(Sha256::digest(bytes));
    Ok(Part { name, sha256, count, bytes: bytes.len() as u64 })
}

/// What the digest of a home is taken over.
struct Summing {
    hash: Sha256,
    count: u64,
    bytes: u64,
}

impl Summing {
    fn new() -> Self {
        Self { hash: Sha256::new(), count: 0, bytes: 0 }
    }

    fn add(&mut self, kind: char, mode: u32, sha256: [u8; 32], path: &[u8], size: u64) {
        self.hash.update(format!("{kind} {mode:o} {} ", hex::encode(sha256)));
        self.hash.update(path);
        self.hash.update([0]);
        self.count += u64::from(kind != 'd');
        self.bytes += size;
    }

    fn part(self) -> Part {
        let sha256 = hex::encode(self.hash.finalize());
        Part { name: HOME.into(), sha256, count: self.count, bytes: self.bytes }
    }
}

/// Counts and sums what is read.
struct Digesting<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        self.hash.update(&buffer[..len]);
        Ok(len)
    }
}

/// The record that goes before a link which leads further than its head has room for.
fn long_target(tar: &mut Builder<impl Write>, target: &[u8]) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNULongLink);
    header.set_mode(0o644);
    header.set_size(target.len() as u64 + 1);
    header.as_old_mut().name[..13].copy_from_slice(b"././@LongLink");
    header.set_cksum();
    tar.append(&header, target.chain(&[0][..]))
}

fn pass_home(tar: &mut Builder<impl Write>, home: Incoming) -> io::Result<Part> {
    let mut sum = Summing::new();
    let mut source = Archive::new(home);
    for entry in source.entries()? {
        let mut entry = entry?;
        let path = entry.path_bytes().into_owned();
        let path = path.strip_prefix(b"./").unwrap_or(&path);
        let path = path.strip_suffix(b"/").unwrap_or(path).to_vec();
        if path.is_empty() || path == b"." {
            continue;
        }
        let to = [HOME.as_bytes(), &path].join(&b'/');
        let to = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&to);
        let mut header = Header::new_gnu();
        let (kind, size) = (entry.header().entry_type(), entry.size());
        let mode = entry.header().mode()? & 0o777;
        header.set_entry_type(kind);
        header.set_mtime(entry.header().mtime().unwrap_or(0));
        header.set_size(0);
        match kind {
            EntryType::Regular | EntryType::Continuous => {
                // As it will be when it comes in again.
                let mode = mode | 0o600;
                header.set_entry_type(EntryType::Regular);
                header.set_mode(mode);
                header.set_size(size);
                let mut bytes = Digesting { inner: &mut entry, hash: Sha256::new() };
                tar.append_data(&mut header, to, &mut bytes)?;
                sum.add('f', mode, bytes.hash.finalize().into(), &path, size);
            }
            EntryType::Directory => {
                let mode = mode | 0o700;
                header.set_mode(mode);
                tar.append_data(&mut header, to, io::empty())?;
                sum.add('d', mode, [0; 32], &path, 0);
            }
            EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                header.set_mode(0o777);
                // To the letter: the library would tidy it up.
                if header.set_link_name_literal(&target).is_err() {
                    long_target(tar, &target)?;
                }
                tar.append_data(&mut header, to, io::empty())?;
                sum.add('l', 0o777, Sha256::digest(&target).into(), &path, 0);
            }
            // A snapshot holds nothing else.
            _ => return Err(io::Error::other("the home holds something that cannot be moved")),
        }
    }
    Ok(sum.part())
}

/// Whether an archive that came in is whole, by its manifest. Its record.
pub(super) fn check(raw: &Raw, at: &[u8]) -> Result<(Record, Vec<Vec<u8>>), ControlError> {
    let name =
        |name: &str| if at.is_empty() { name.into() } else { [at, name.as_bytes()].join(&b'/') };
    let text = raw.small(&name(MANIFEST), SMALL).ok_or_else(|| ControlError::CutOff {
        why: "the archive has no manifest at its end: it is not whole".into(),
    })?;
    let format = serde_json::from_slice::<serde_json::Value>(&text).ok();
    let format =
        format.and_then(|manifest| manifest.get("format")?.as_u64()).ok_or_else(damaged)?;
    if format > u64::from(FORMAT) {
        return Err(refused(
            format!("the archive has format {format}; this platform reads up to {FORMAT}"),
            "import it with a newer smartbox",
        ));
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|_| damaged())?;
    let mut history = Vec::new();
    for part in &manifest.parts {
        let found = if part.name == HOME {
            home_of(raw, &name(HOME))
        } else {
            let path = name(&part.name);
            let item = raw.items.iter().find(|item| item.path == path && item.what == What::File);
            let sha256 = item.map(|item| hex::encode(item.sha256));
            if part.name.starts_with("history") {
                history.push(path);
            }
            sha256.unwrap_or_default()
        };
        if found != part.sha256 {
            return Err(refused(
                format!("the archive is damaged: `{}` is not what its manifest says", part.name),
                "make it again, or take another copy of it",
            ));
        }
    }
    let named = |name: &str| manifest.parts.iter().any(|part| part.name == name);
    if !named(HOME) || !named(BOX) {
        return Err(damaged());
    }
    let record = raw.small(&name(BOX), SMALL).ok_or_else(damaged)?;
    Ok((serde_json::from_slice(&record).map_err(|_| damaged())?, history))
}

fn home_of(raw: &Raw, home: &[u8]) -> String {
    let mut sum = Summing::new();
    for Item { path, what, size, mode, sha256 } in &raw.items {
        let Some(rest) = path.strip_prefix(home).and_then(|rest| rest.strip_prefix(b"/")) else {
            continue;
        };
        let kind = match what {
            What::File => 'f',
            What::Directory => 'd',
            What::Link(_) => 'l',
            What::Gone => continue,
        };
        sum.add(kind, *mode, *sha256, rest, *size);
    }
    sum.part().sha256
}
