//! What came in is put where it belongs: by names within one file system, so that nothing is copied.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use smartbox_core::moves::{Origin, Place, Plan};

use super::raw::{Raw, What};
use super::{failed, refused};
use crate::error::ControlError;

const DOING: &str = "putting what is imported in its place";

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) files: u64,
    pub(super) bytes: u64,
    pub(super) left_out: BTreeMap<Vec<u8>, &'static str>,
}

/// Moves everything that belongs into the home to its place on the stage.
pub(super) fn settle(
    raw: &Raw,
    plan: &Plan,
    origin: Origin,
    stage: &Path,
) -> Result<Settled, ControlError> {
    let mut done = Settled { left_out: raw.passed.iter().cloned().collect(), ..Settled::default() };
    let (mut links, mut modes) = (Vec::new(), Vec::new());
    for item in &raw.items {
        let to = match plan.place(&item.path) {
            Place::To(to) => to,
            Place::Out(why) => {
                let told = matches!(item.what, What::File | What::Link(_));
                // Of an archive of ours, only its own pages are no part of the home.
                if told && origin != Origin::Export {
                    done.left_out.insert(item.path.clone(), why);
                }
                continue;
            }
        };
        if to.is_empty() {
            continue;
        }
        let at = stage.join(OsStr::from_bytes(&to));
        match &item.what {
            What::Gone => {}
            // Of an installation that is not ours only what it holds is of interest.
            What::Directory if origin != Origin::Export => {}
            What::Directory => {
                make(&at).map_err(fail)?;
                modes.push((at, item.mode));
            }
            What::Link(target) => match leads(&to, target, plan, origin) {
                Some(target) => links.push((at, target, item.path.clone())),
                None => {
                    done.left_out.insert(item.path.clone(), "it leads out of the home");
                }
            },
            What::File => {
                at.parent().map(make).transpose().map_err(fail)?;
                if at.symlink_metadata().is_ok() {
                    done.left_out.insert(item.path.clone(), "something else is in its place");
                    continue;
                }
                fs::rename(raw.at(&item.path), &at).map_err(fail)?;
                done.files += 1;
                done.bytes += item.size;
            }
        }
    }
    // After everything else: from now on a path may lead elsewhere.
    for (at, target, path) in links {
        let made = at.parent().map(make).transpose().and_then(|_| symlink(&target, &at));
        match made {
            Ok(()) => done.files += 1,
            Err(e) if matches!(e.kind(), io::ErrorKind::AlreadyExists) => {
                done.left_out.insert(path, "something else is in its place");
            }
            Err(e) => return Err(fail(e)),
        }
    }
    for (at, mode) in modes.into_iter().rev() {
        // Only what is a directory of ours: none was replaced by a link.
        fs::set_permissions(&at, fs::Permissions::from_mode(mode | 0o700)).map_err(fail)?;
    }
    if done.files == 0 && origin != Origin::Export {
        return Err(refused("nothing in it belongs to a home", "look at what it holds"));
    }
    Ok(done)
}

fn fail(error: io::Error) -> ControlError {
    failed(DOING, error)
}

fn make(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Where a link is to lead in the box; nothing if that is nowhere in its home.
fn leads(at: &[u8], target: &[u8], plan: &Plan, origin: Origin) -> Option<PathBuf> {
    let path = || PathBuf::from(OsStr::from_bytes(target));
    if origin == Origin::Export {
        return Some(path());
    }
    if target.starts_with(b"/") {
        let text = std::str::from_utf8(target).ok()?;
        let moved = plan.relocations.iter().find_map(|(old, new)| {
            let rest = text.strip_prefix(old.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{new}{rest}"))
        })?;
        return (!moved.split('/').any(|part| part == "..")).then(|| moved.into());
    }
    let mut depth = at.iter().filter(|byte| **byte == b'/').count();
    for part in target.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => depth = depth.checked_sub(1)?,
            _ => depth += 1,
        }
    }
    Some(path())
}
