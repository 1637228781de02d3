//! Into a box.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use smartbox_api::call;
use smartbox_api::file::{FileKind, WriteQuery};
use smartbox_api::problem::Code;
use tar::{EntryType, Header};
use tokio::sync::mpsc;

use super::arrived;
use super::place::Place;
use super::progress::Progress;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::{out, stdin};

const PIECE: usize = 256 << 10;

pub(super) async fn upload(
    client: &Client,
    from: &Path,
    to: &Place,
    recursive: bool,
    quiet: bool,
) -> Result<(), CliError> {
    if from == Path::new("-") {
        let named = to.last().is_some() && !to.path.ends_with('/');
        if !named {
            return Err(CliError::usage(
                "standard input has no name",
                "write the file's whole path",
            ));
        }
        let progress = Progress::new(&to.path, None, quiet);
        return send(client, to, stdin::pieces(), None, None, &progress).await;
    }
    let meta = std::fs::metadata(from).map_err(|e| unreadable(from, &e))?;
    if meta.is_dir() {
        return folder(client, from, to, recursive, quiet).await;
    }
    if !meta.is_file() {
        let what = format!("{} is neither a file nor a folder", out::line(&from.to_string_lossy()));
        return Err(CliError::usage(what, "pipe it in: `smartbox cp - BOX:PATH`"));
    }
    let to = target(client, from, to).await?;
    let (path, mode) = (from.to_owned(), executable(meta.permissions().mode()));
    // Once for its digest, once on its way: a file that changes in between is refused by the platform.
    let digest = blocking(move || digest(&path)).await?;
    let pieces = read(from)?;
    let progress = Progress::new(&to.path, Some(meta.len()), quiet);
    send(client, &to, pieces, Some((meta.len(), digest)), mode, &progress).await
}

/// Only that a program is one goes along: whose it is, and who may read it, is another machine's.
fn executable(mode: u32) -> Option<&'static str> {
    (mode & 0o100 != 0).then_some("0700")
}

/// Into a directory that is there, under the name that it has here.
async fn target(client: &Client, from: &Path, to: &Place) -> Result<Place, CliError> {
    let name = || {
        let name = from
            .canonicalize()
            .ok()
            .and_then(|path| path.file_name().and_then(|name| name.to_str()).map(str::to_owned));
        name.ok_or_else(|| {
            CliError::usage(
                "its name is not text",
                "write the whole path, with a name, on the right",
            )
        })
    };
    if to.path.is_empty() || to.path.ends_with('/') || is_directory(client, to).await? {
        return Ok(to.join(&name()?));
    }
    Ok(to.clone())
}

async fn is_directory(client: &Client, place: &Place) -> Result<bool, CliError> {
    if place.last().is_none() {
        return Ok(true);
    }
    match client.json(call::file(&place.name, &place.path)).await {
        Ok(file) => Ok(file.kind == FileKind::Directory),
        Err(CliError::Problem(problem)) if problem.known() == Some(Code::NotFound) => Ok(false),
        Err(other) => Err(other),
    }
}

async fn send(
    client: &Client,
    to: &Place,
    pieces: mpsc::Receiver<Bytes>,
    known: Option<(u64, [u8; 32])>,
    mode: Option<&str>,
    progress: &Progress,
) -> Result<(), CliError> {
    let query = WriteQuery { path: to.path.clone(), mode: mode.map(str::to_owned), parents: true };
    let call = call::write_file(&to.name, &query);
    let sent = client.upload(&call, pieces, known, progress.counter()).await;
    let (seen, done) = match (sent, known) {
        (Err(broken @ (CliError::Broken(_) | CliError::Problem(_))), Some((_, digest)))
            if broken.is_passing() =>
        {
            return arrived::settle(client, to, digest, broken).await;
        }
        (sent, _) => sent?,
    };
    if hex(&seen) != done.sha256 {
        let what = format!("what arrived at {to} is not what was sent");
        return Err(CliError::here(what, "copy it again; a disk or a network may be failing"));
    }
    Ok(())
}

pub(super) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn folder(
    client: &Client,
    from: &Path,
    to: &Place,
    recursive: bool,
    quiet: bool,
) -> Result<(), CliError> {
    if !recursive {
        let what = format!("{} is a folder", out::line(&from.to_string_lossy()));
        return Err(CliError::usage(what, "add -r to copy it with everything in it"));
    }
    // `Path` has no eye for the dot at the end.
    let inner = from.as_os_str().as_encoded_bytes().ends_with(b"/.") || from == Path::new(".");
    let to = if inner || !is_directory(client, to).await? {
        to.clone()
    } else {
        target(client, from, to).await?
    };
    contents(client, from, &to, quiet).await
}

/// What is in a folder, into a folder that is made if it is not there.
pub(super) async fn contents(
    client: &Client,
    from: &Path,
    to: &Place,
    quiet: bool,
) -> Result<(), CliError> {
    let (sender, pieces) = mpsc::channel(4);
    let root = from.to_owned();
    // Its receiver may go away, when the platform says no: then it ends, too.
    let packing = tokio::task::spawn_blocking(move || pack(&root, sender));
    let progress = Progress::new(&to.path, None, quiet);
    let call = call::unpack(&to.name, &to.path);
    let sent = client.upload(&call, pieces, None, progress.counter()).await;
    let packed = packing.await.map_err(|e| CliError::here(e.to_string(), ""))?;
    // Why it could not be read is worth more than that the archive ended early.
    let left_out = match (packed, &sent) {
        (Err(error), _) if error.kind() != io::ErrorKind::BrokenPipe => {
            return Err(CliError::here(format!("the folder could not be read: {error}"), ""));
        }
        (Err(_), _) => 0,
        (Ok(left_out), _) => left_out,
    };
    let (_, done) = sent?;
    drop(progress);
    if !quiet {
        out::note(format!(
            "{} files, {} bytes, to {}",
            done.files,
            done.bytes,
            out::line(&to.to_string())
        ));
        if left_out > 0 {
            out::note(format!("{left_out} links and other things that are no files were left out"));
        }
    }
    Ok(())
}

/// Writes a folder as a tar stream, and says how many things were left out.
pub(crate) fn pack(root: &Path, sender: mpsc::Sender<Bytes>) -> io::Result<u64> {
    let mut out = tar::Builder::new(io::BufWriter::with_capacity(PIECE, Pipe(sender)));
    let (mut next, mut left_out) = (vec![PathBuf::new()], 0);
    while let Some(dir) = next.pop() {
        let mut entries: Vec<_> = std::fs::read_dir(root.join(&dir))?.collect::<Result<_, _>>()?;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let (name, kind) = (dir.join(entry.file_name()), entry.file_type()?);
            let mut header = Header::new_gnu();
            header.set_mode(0o700);
            if kind.is_dir() {
                header.set_entry_type(EntryType::Directory);
                header.set_size(0);
                out.append_data(&mut header, &name, io::empty())?;
                next.push(name);
            } else if kind.is_file() {
                let file = File::open(entry.path())?;
                let meta = file.metadata()?;
                header.set_mode(if meta.permissions().mode() & 0o100 != 0 { 0o700 } else { 0o600 });
                header.set_size(meta.len());
                let mut exactly = Exactly { file, left: meta.len() };
                out.append_data(&mut header, &name, &mut exactly)?;
            } else {
                left_out += 1;
            }
        }
    }
    out.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(left_out)
}

/// A file of the length that its head says, though it may grow or shrink meanwhile.
struct Exactly {
    file: File,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(out.len());
        if most == 0 {
            return Ok(0);
        }
        let got = self.file.read(&mut out[..most])?;
        if got == 0 {
            return Err(io::Error::other("a file became shorter while it was read"));
        }
        self.left -= got as u64;
        Ok(got)
    }
}

/// The other end of a channel, as a file to write to.
struct Pipe(mpsc::Sender<Bytes>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Bytes::copy_from_slice(bytes));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file's bytes as they are taken.
pub(crate) fn read(path: &Path) -> Result<mpsc::Receiver<Bytes>, CliError> {
    let mut file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let (sender, receiver) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut bytes = vec![0; PIECE];
            match file.read(&mut bytes) {
                Ok(0) => return,
                Ok(n) => {
                    bytes.truncate(n);
                    if sender.blocking_send(bytes.into()).is_err() {
                        return;
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // The upload ends short of its length, which the platform refuses.
                Err(_) => return,
            }
        }
    });
    Ok(receiver)
}

fn digest(path: &Path) -> Result<[u8; 32], CliError> {
    let mut file = File::open(path).map_err(|e| unreadable(path, &e))?;
    let mut hash = Sha256::new();
    let mut bytes = vec![0; PIECE];
    loop {
        match file.read(&mut bytes) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(n) => hash.update(&bytes[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(unreadable(path, &e)),
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, CliError> + Send + 'static,
) -> Result<T, CliError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| CliError::here(e.to_string(), ""))?
}

fn unreadable(path: &Path, error: &io::Error) -> CliError {
    let what = format!("{} cannot be read: {error}", out::line(&path.to_string_lossy()));
    CliError::here(what, "")
}
