//! The heads of an archive that comes in. Every length in them is somebody's claim, and bounded.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use smartbox_core::BoxStream;
use tar::{EntryType, Header, PaxExtensions};

use super::{BLOCK, padding};
use crate::error::ControlError;
use crate::files::upload::{broke, next};

/// The longest record beside an entry: its real name and size.
const RECORD: u64 = 64 << 10;

/// An entry that may be unpacked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Relative, without a slash at its end; empty for the folder itself.
    pub(super) name: Vec<u8>,
    pub(super) is_directory: bool,
    pub(super) mode: u32,
    pub(super) len: u64,
}

/// A tar stream, read as it comes.
pub(super) struct Source {
    body: BoxStream<'static, io::Result<Bytes>>,
    buffer: BytesMut,
    /// How many links were left out, where that is fine.
    left_out: Option<u64>,
}

impl Source {
    pub(super) fn new(body: BoxStream<'static, io::Result<Bytes>>) -> Self {
        Self { body, buffer: BytesMut::new(), left_out: None }
    }

    /// One in which links are no mistake: they are left out.
    pub(super) fn lenient(body: BoxStream<'static, io::Result<Bytes>>) -> Self {
        Self { left_out: Some(0), ..Self::new(body) }
    }

    pub(super) fn left_out(&self) -> u64 {
        self.left_out.unwrap_or(0)
    }

    /// The next entry; `None` at the end mark.
    pub(super) async fn entry(&mut self) -> Result<Option<Entry>, ControlError> {
        let (mut name, mut len) = (None, None);
        loop {
            let block = self.exactly(BLOCK).await?;
            if block.iter().all(|byte| *byte == 0) {
                self.drain().await?;
                return Ok(None);
            }
            let header = Header::from_byte_slice(&block);
            check_sum(header)?;
            let size = header.entry_size().map_err(|_| garbled())?;
            match header.entry_type() {
                EntryType::GNULongName => {
                    let mut record = self.record(size).await?;
                    while record.last() == Some(&0) {
                        record.pop();
                    }
                    name = Some(record);
                }
                EntryType::XHeader => {
                    let record = self.record(size).await?;
                    for pair in PaxExtensions::new(&record) {
                        let pair = pair.map_err(|_| garbled())?;
                        match pair.key_bytes() {
                            b"path" => name = Some(pair.value_bytes().to_vec()),
                            b"size" => len = Some(number(pair.value_bytes())?),
                            _ => {}
                        }
                    }
                }
                EntryType::XGlobalHeader => drop(self.record(size).await?),
                EntryType::Symlink | EntryType::Link if self.left_out.is_some() => {
                    self.left_out = self.left_out.map(|count| count.saturating_add(1));
                    (name, len) = (None, None);
                }
                kind => {
                    let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
                    return entry(header, kind, &name, len.unwrap_or(size)).map(Some);
                }
            }
        }
    }

    /// At most so many bytes of a body of which this much is left.
    pub(super) async fn piece(&mut self, left: u64) -> Result<Bytes, ControlError> {
        if self.buffer.is_empty() {
            self.fill().await?;
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
        Ok(self.buffer.split_to(most).freeze())
    }

    /// Skips what follows a body.
    pub(super) async fn pad(&mut self, len: u64) -> Result<(), ControlError> {
        self.exactly(padding(len)).await.map(drop)
    }

    async fn record(&mut self, size: u64) -> Result<Vec<u8>, ControlError> {
        if size > RECORD {
            return Err(garbled());
        }
        let len = usize::try_from(size).unwrap_or(0);
        let record = self.exactly(len).await?.to_vec();
        self.pad(size).await?;
        Ok(record)
    }

    async fn exactly(&mut self, len: usize) -> Result<Bytes, ControlError> {
        while self.buffer.len() < len {
            self.fill().await?;
        }
        Ok(self.buffer.split_to(len).freeze())
    }

    async fn fill(&mut self) -> Result<(), ControlError> {
        match next(&mut self.body).await? {
            Some(bytes) => {
                self.buffer.extend_from_slice(&bytes);
                Ok(())
            }
            None => Err(broke("the archive ended in the middle")),
        }
    }

    /// What its writer still says after the end mark is read, and means nothing.
    async fn drain(&mut self) -> Result<(), ControlError> {
        self.buffer.advance(self.buffer.len());
        let mut most = 1 << 20;
        while let Some(bytes) = next(&mut self.body).await? {
            most = usize::checked_sub(most, bytes.len()).ok_or_else(garbled)?;
        }
        Ok(())
    }
}

fn entry(header: &Header, kind: EntryType, name: &[u8], len: u64) -> Result<Entry, ControlError> {
    let shown = String::from_utf8_lossy(name).into_owned();
    let refused = |what: &str| {
        let hint = "an archive holds regular files and directories, by relative names".to_owned();
        Err(ControlError::Refused { why: format!("{what}: {shown:?}"), hint })
    };
    let is_directory = match kind {
        EntryType::Regular | EntryType::Continuous => name.ends_with(b"/"),
        EntryType::Directory => true,
        _ => return refused("the archive holds something that is neither file nor directory"),
    };
    if name.starts_with(b"/") || name.split(|byte| *byte == b'/').any(|part| part == b"..") {
        return refused("the archive holds a name that leads out of the folder");
    }
    let parts: Vec<&[u8]> =
        name.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".").collect();
    let mode = header.mode().unwrap_or(0o600) & 0o777;
    let name = parts.join(&b'/');
    if name.is_empty() && !is_directory {
        return Err(garbled());
    }
    Ok(Entry { name, is_directory, mode, len: if is_directory { 0 } else { len } })
}

fn check_sum(header: &Header) -> Result<(), ControlError> {
    let mut ours = header.clone();
    ours.set_cksum();
    match (header.cksum(), ours.cksum()) {
        (Ok(said), Ok(is)) if said == is => Ok(()),
        _ => Err(garbled()),
    }
}

fn number(text: &[u8]) -> Result<u64, ControlError> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(garbled)
}

fn garbled() -> ControlError {
    ControlError::Refused {
        why: "the body is no tar archive, or a damaged one".into(),
        hint: "make it with `tar -cf`, without compression".into(),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};

    use super::*;

    async fn all(bytes: Vec<u8>, piece: usize) -> Result<Vec<(Entry, Vec<u8>)>, ControlError> {
        let pieces: Vec<_> =
            bytes.chunks(piece).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let mut source = Source::new(stream::iter(pieces).boxed());
        let mut found = Vec::new();
        while let Some(entry) = source.entry().await? {
            let mut body = Vec::new();
            while (body.len() as u64) < entry.len {
                body.extend(source.piece(entry.len - body.len() as u64).await?);
            }
            source.pad(entry.len).await?;
            found.push((entry, body));
        }
        Ok(found)
    }

    fn archive(kind: EntryType, name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o4755);
        header.set_entry_type(kind);
        // `set_path` is careful; an attacker is not.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, bytes).unwrap();
        builder.into_inner().unwrap()
    }

    #[tokio::test]
    async fn an_archive_is_read_however_it_is_cut() {
        let long = "a/".repeat(80) + "name";
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = Header::new_gnu();
        header.set_size(700);
        header.set_mode(0o644);
        builder.append_data(&mut header, &long, &[7; 700][..]).unwrap();
        let bytes = builder.into_inner().unwrap();
        for piece in [1, 100, 512, 513, 1 << 20] {
            let found = all(bytes.clone(), piece).await.unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!((found[0].0.name.as_slice(), found[0].1.len()), (long.as_bytes(), 700));
        }
        for cut in [0, 100, 512, 1600, bytes.len() - 1024] {
            let cut = all(bytes[..cut].to_vec(), 512).await;
            assert!(matches!(cut, Err(ControlError::CutOff { .. })), "{cut:?}");
        }
        let ours = all(archive(EntryType::Regular, "./x//y", b"z"), 512).await.unwrap();
        assert_eq!((ours[0].0.name.as_slice(), ours[0].0.mode), (&b"x/y"[..], 0o755));
    }

    #[tokio::test]
    async fn what_leads_out_or_is_no_file_is_refused() {
        let hostile = [
            (EntryType::Regular, "../x"),
            (EntryType::Regular, "a/../../x"),
            (EntryType::Regular, "/etc/passwd"),
            (EntryType::Symlink, "link"),
            (EntryType::Link, "hard"),
            (EntryType::Char, "null"),
            (EntryType::Block, "disk"),
            (EntryType::Fifo, "pipe"),
            (EntryType::GNUSparse, "sparse"),
            (EntryType::Regular, "."),
        ];
        for (kind, name) in hostile {
            let read = all(archive(kind, name, b""), 512).await;
            assert!(matches!(read, Err(ControlError::Refused { .. })), "{name}: {read:?}");
        }
        let mut damaged = archive(EntryType::Regular, "x", b"y");
        damaged[0] ^= 1;
        assert!(matches!(all(damaged, 512).await, Err(ControlError::Refused { .. })));
        let mut noise = vec![0x55; 4096];
        assert!(all(noise.clone(), 512).await.is_err());
        noise.truncate(10);
        assert!(all(noise, 512).await.is_err());
    }
}
