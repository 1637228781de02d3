//! Writes a file whole or not at all: a temporary file beside it, flushed, renamed over it.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use bytes::Bytes;
use rustix::fs::{AtFlags, Mode, OFlags, fchmod, fsync, openat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

use super::path::Beneath;
use super::{FileFault, beneath, elsewhere};

/// A file on its way. Dropped before it is placed, it leaves nothing behind.
pub(crate) struct Draft {
    parent: OwnedFd,
    file: File,
    temporary: Option<String>,
    name: String,
    mode: Mode,
}

impl Draft {
    /// Makes the temporary file.
    pub(crate) async fn begin(
        home: Arc<OwnedFd>,
        path: &str,
        mode: u32,
    ) -> Result<Self, FileFault> {
        let path = Beneath::parse(path)?;
        if mode & !0o777 != 0 {
            return Err(FileFault::Bad("the mode holds more than permission bits"));
        }
        elsewhere(move || {
            let parent = beneath::open_parent(home.as_fd(), &path)?;
            let (file, temporary) = create(&parent)?;
            let temporary = Some(temporary);
            Ok(Self { parent, file, temporary, name: path.name, mode: Mode::from_raw_mode(mode) })
        })
        .await
    }

    /// Adds bytes.
    pub(crate) async fn add(mut self, bytes: Bytes) -> Result<Self, FileFault> {
        elsewhere(move || {
            self.file.write_all(&bytes).map_err(|e| fault(&e))?;
            Ok(self)
        })
        .await
    }

    /// Puts the file in its place.
    pub(crate) async fn place(mut self) -> Result<(), FileFault> {
        elsewhere(move || {
            fchmod(&self.file, self.mode)?;
            self.file.sync_all().map_err(|e| fault(&e))?;
            if let Some(temporary) = &self.temporary {
                renameat(&self.parent, temporary.as_str(), &self.parent, self.name.as_str())?;
            }
            self.temporary = None;
            Ok(fsync(&self.parent)?)
        })
        .await
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = unlinkat(&self.parent, temporary.as_str(), AtFlags::empty());
        }
    }
}

fn create(parent: &OwnedFd) -> Result<(File, String), FileFault> {
    for _ in 0..16 {
        let mut random = [0; 8];
        getrandom(&mut random, GetRandomFlags::empty())?;
        let name = format!(".smartbox-{:016x}", u64::from_ne_bytes(random));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        match openat(parent, name.as_str(), flags, Mode::RUSR | Mode::WUSR) {
            Err(Errno::EXIST) => {}
            other => return Ok((other?.into(), name)),
        }
    }
    Err(FileFault::System(Errno::EXIST))
}

fn fault(error: &std::io::Error) -> FileFault {
    match error.raw_os_error() {
        Some(number) => Errno::from_raw_os_error(number).into(),
        None if error.kind() == ErrorKind::WriteZero => FileFault::Full,
        None => FileFault::System(Errno::IO),
    }
}
