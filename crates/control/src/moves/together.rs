//! What came in is recognised and put together as a home.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::Value;
use smartbox_core::config::MAX_BYTES;
use smartbox_core::moves::{Layout, Origin, Plan, Record, Target, Unclear, detect};

use super::gather::Came;
use super::raw::Raw;
use super::settle::{Settled, settle};
use super::{archive, refused, unpack};
use crate::error::ControlError;

/// What is put together on a stage.
pub(super) struct Staged {
    pub(super) record: Option<Record>,
    pub(super) history: Vec<PathBuf>,
    pub(super) origin: Origin,
    pub(super) plan: Plan,
    pub(super) settled: Settled,
}

/// Finds out what came in and puts it in its place.
pub(super) fn put_together(
    came: Came,
    target: &Target,
    read: impl Fn(&[u8]) -> Option<Value>,
    room: u64,
    stage: &Path,
) -> Result<Staged, ControlError> {
    let Came { mut raw, within, origin } = came;
    let mut layout = of(&raw, &within)?;
    let origin = origin.unwrap_or(layout.origin);
    if let Some(inside) = layout.archive() {
        let file = File::open(raw.at(&inside)).map_err(|e| super::failed("reading it", e))?;
        let mut inner = Raw::new(raw.root.with_file_name("unpacked"), room)?;
        unpack::unpack(&mut inner, b"", file)?;
        raw = inner;
        layout = of(&raw, "")?;
        if layout.archive().is_some() {
            return Err(refused("there are archives within archives", "unpack it first"));
        }
    }
    let found = raw.found();
    let manifest = layout.manifest().and_then(|path| raw.small(&path, MAX_BYTES as u64));
    let manifest = manifest.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    let config = |path: &[u8]| read(&raw.small(path, MAX_BYTES as u64)?);
    let plan = layout.plan(&found, manifest.as_ref(), config, target);
    let (record, history) = match layout.origin {
        Origin::Export => archive::check(&raw, &layout.at).map(|(r, h)| (Some(r), h))?,
        _ => (None, Vec::new()),
    };
    let history = history.iter().map(|path| raw.at(path)).collect();
    let settled = settle(&raw, &plan, layout.origin, stage)?;
    Ok(Staged { record, history, origin, plan, settled })
}

fn of(raw: &Raw, within: &str) -> Result<Layout, ControlError> {
    detect(&raw.found(), within).map_err(|e| unclear(&e))
}

pub(super) fn unclear(unclear: &Unclear) -> ControlError {
    let hint = match unclear {
        Unclear::Several(_) => "say which: `--within DIRECTORY`",
        Unclear::Both(_) => "import the one or the other by itself",
        Unclear::Empty | Unclear::Unknown(_) => {
            "give an archive of `smartbox export`, of `openclaw backup create`, or of a home"
        }
    };
    refused(unclear.to_string(), hint)
}
