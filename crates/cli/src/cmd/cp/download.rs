//! Out of a box. Everything that comes is the box's word: names stay beneath the target, links are not
//! made, and nothing has the name that was asked for before it is whole.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use bytes::{Buf, Bytes};
use sha2::{Digest, Sha256};
use smartbox_api::call;
use smartbox_api::file::{FileKind, FileView};
use tar::EntryType;
use tokio::sync::mpsc;

use super::aside::{Aside, unwritable};
use super::place::Place;
use super::progress::Progress;
use super::upload::hex;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::out;

pub(super) async fn download(
    client: &Client,
    from: &Place,
    to: &Path,
    recursive: bool,
    quiet: bool,
) -> Result<(), CliError> {
    let is_directory = match from.last() {
        None => true,
        Some(_) => {
            client.json(call::file(&from.name, &from.path)).await?.kind == FileKind::Directory
        }
    };
    match (is_directory, recursive, to == Path::new("-")) {
        (false, _, true) => to_output(client, from).await,
        (false, _, false) => file(client, from, to, quiet).await,
        (true, true, false) => folder(client, from, to, quiet).await,
        (true, false, _) => Err(CliError::usage(
            format!("{} is a folder", out::line(&from.to_string())),
            "add -r to copy it with everything in it",
        )),
        (true, true, true) => Err(CliError::usage(
            "a folder does not go to standard output",
            "name a folder on the right",
        )),
    }
}

/// A file onto standard output, checked at its end.
async fn to_output(client: &Client, from: &Place) -> Result<(), CliError> {
    let mut reply = client.download(&call::read_file(&from.name, &from.path)).await?;
    let mut hash = Sha256::new();
    while let Some(piece) = reply.next_part().await? {
        hash.update(&piece);
        out::raw(&piece)?;
    }
    checked(from, reply.digest, hash)
}

fn checked(from: &Place, wanted: Option<[u8; 32]>, hash: Sha256) -> Result<(), CliError> {
    let found: [u8; 32] = hash.finalize().into();
    match wanted {
        Some(wanted) if wanted != found => Err(CliError::here(
            format!("{} changed while it was read", out::line(&from.to_string())),
            format!("copy it again (wanted {}, got {})", hex(&wanted), hex(&found)),
        )),
        _ => Ok(()),
    }
}

async fn file(client: &Client, from: &Place, to: &Path, quiet: bool) -> Result<(), CliError> {
    // The name that the person wrote, never one that the box gave.
    let to = if to.is_dir() { to.join(from.last().unwrap_or("file")) } else { to.to_owned() };
    let view: FileView = client.json(call::file(&from.name, &from.path)).await?;
    let mut reply = client.download(&call::read_file(&from.name, &from.path)).await?;
    let draft = Aside::beside(&to)?;
    let mut out = draft.create_file().map_err(|e| unwritable(&to, &e))?;
    let progress = Progress::new(&from.path, reply.len, quiet);
    let (mut hash, mut got) = (Sha256::new(), 0);
    while let Some(piece) = reply.next_part().await? {
        hash.update(&piece);
        got += piece.len() as u64;
        progress.add(piece.len());
        // A disk is faster than a network, and this thread has nothing else to do.
        out.write_all(&piece).map_err(|e| unwritable(&to, &e))?;
    }
    if reply.len.is_some_and(|len| len != got) {
        return Err(CliError::Broken("the file ended early".into()));
    }
    checked(from, reply.digest, hash)?;
    mark(&out, u32::from_str_radix(&view.mode, 8).unwrap_or(0)).map_err(|e| unwritable(&to, &e))?;
    out.sync_all().map_err(|e| unwritable(&to, &e))?;
    draft.place(&to)
}

/// Only that a program is one goes along.
fn mark(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut permissions = file.metadata()?.permissions();
    if mode & 0o100 != 0 {
        // Whoever may read it may run it.
        let now = permissions.mode();
        permissions.set_mode(now | (now & 0o444) >> 2);
        file.set_permissions(permissions)?;
    }
    Ok(())
}

async fn folder(client: &Client, from: &Place, to: &Path, quiet: bool) -> Result<(), CliError> {
    let to = if to.is_dir() { to.join(from.last().unwrap_or(&from.name)) } else { to.to_owned() };
    if to.symlink_metadata().is_ok() {
        let what = format!("{} exists already", out::line(&to.to_string_lossy()));
        return Err(CliError::usage(what, "name a folder that is not there yet"));
    }
    let mut reply = client.download(&call::pack(&from.name, &from.path)).await?;
    let draft = Aside::beside(&to)?;
    fs::create_dir(&draft.path).map_err(|e| unwritable(&to, &e))?;
    let (sender, receiver) = mpsc::channel::<Bytes>(4);
    let root = draft.path.clone();
    let unpacking = tokio::task::spawn_blocking(move || unpack(&root, receiver));
    let progress = Progress::new(&from.path, None, quiet);
    let coming: Result<(), CliError> = async {
        while let Some(piece) = reply.next_part().await? {
            progress.add(piece.len());
            if sender.send(piece).await.is_err() {
                break;
            }
        }
        Ok(())
    }
    .await;
    drop(sender);
    let unpacked = unpacking.await.map_err(|e| CliError::here(e.to_string(), ""))?;
    coming?;
    let files = unpacked.map_err(|e| unwritable(&to, &e))?;
    drop(progress);
    draft.place(&to)?;
    if !quiet {
        out::note(format!("{files} files to {}", out::line(&to.to_string_lossy())));
    }
    Ok(())
}

/// Unpacks into a fresh directory of ours: in it is nothing but what we made, so no link can be met.
fn unpack(root: &Path, pieces: mpsc::Receiver<Bytes>) -> io::Result<u64> {
    let mut archive = tar::Archive::new(Pieces { pieces, rest: Bytes::new() });
    let mut files = 0;
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = root.join(plain(&entry.path()?)?);
        match entry.header().entry_type() {
            EntryType::Directory => fs::create_dir_all(&path)?,
            EntryType::Regular => {
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                let mode = entry.header().mode()?;
                let mut file = File::options().write(true).create_new(true).open(&path)?;
                io::copy(&mut entry, &mut file)?;
                mark(&file, mode)?;
                files += 1;
            }
            _ => return Err(io::Error::other("the archive holds what is neither file nor folder")),
        }
    }
    Ok(files)
}

/// A name of an archive, if it stays beneath the folder.
fn plain(path: &Path) -> io::Result<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => plain.push(name),
            Component::CurDir => {}
            _ => return Err(io::Error::other("the archive holds a name that leads out of it")),
        }
    }
    Ok(plain)
}

/// The other end of a channel, as a file to read from.
struct Pieces {
    pieces: mpsc::Receiver<Bytes>,
    rest: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.rest = piece,
                None => return Ok(0),
            }
        }
        let len = out.len().min(self.rest.len());
        self.rest.copy_to_slice(&mut out[..len]);
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(kind: EntryType, name: &str) -> Bytes {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        header.set_mode(0o755);
        header.set_entry_type(kind);
        // `set_path` is careful; an attacker is not.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, &b"x"[..]).unwrap();
        builder.into_inner().unwrap().into()
    }

    fn unpacked(dir: &Path, archive: Bytes) -> io::Result<u64> {
        let (sender, receiver) = mpsc::channel(1);
        let root = dir.join("root");
        let _ = fs::create_dir(&root);
        sender.try_send(archive).unwrap();
        drop(sender);
        unpack(&root, receiver)
    }

    #[test]
    fn a_hostile_archive_makes_nothing_outside_its_folder() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["../x", "a/../../x", "/tmp/smartbox-x", ".."] {
            assert!(unpacked(dir.path(), archive(EntryType::Regular, name)).is_err(), "{name}");
        }
        for kind in [EntryType::Symlink, EntryType::Link, EntryType::Fifo, EntryType::Char] {
            assert!(unpacked(dir.path(), archive(kind, "x")).is_err(), "{kind:?}");
        }
        assert!(!dir.path().join("x").exists() && !Path::new("/tmp/smartbox-x").exists());
        assert_eq!(unpacked(dir.path(), archive(EntryType::Regular, "a/b")).unwrap(), 1);
        // The same name twice is no way to write through what the first was.
        assert!(unpacked(dir.path(), archive(EntryType::Regular, "a/b")).is_err());
        assert_eq!(fs::read(dir.path().join("root/a/b")).unwrap(), b"x");
    }
}
