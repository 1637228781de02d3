//! Opens a file for reading. What is no regular file is refused, and holds nobody up.

use std::fs::File;
use std::os::unix::fs::FileExt;

use rustix::fs::{FileType, OFlags, fstat};

use crate::beneath;
use crate::entry::Entry;
use crate::path::Beneath;
use crate::{Fault, Home};

/// A regular file, open. What it was when it was opened stays known.
#[derive(Debug)]
pub struct Opened {
    file: File,
    entry: Entry,
}

impl Opened {
    /// What it was when it was opened.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Reads at most `most` bytes from an offset; none at the end.
    pub fn read_at(&self, from: u64, most: usize) -> Result<Vec<u8>, Fault> {
        let mut bytes = vec![0; most];
        let mut filled = 0;
        while filled < most {
            match self.file.read_at(&mut bytes[filled..], from + filled as u64) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

impl Home {
    /// Opens a file. Links that stay beneath the home are followed.
    pub fn read(&self, path: &Beneath) -> Result<Opened, Fault> {
        // Without NONBLOCK a pipe in the file's place would hold the thread.
        let fd = beneath::open(self.fd(), path, OFlags::RDONLY | OFlags::NONBLOCK)?;
        let stat = fstat(&fd)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return Err(Fault::IsDirectory),
            _ => return Err(Fault::Outside),
        }
        Ok(Opened { file: fd.into(), entry: Entry::of(path.name(), &stat) })
    }
}
