//! `[tiers.<name>]`: how much of the machine a box may use.

use std::collections::BTreeMap;

use serde::Deserialize;
use smartbox_core::sandbox::Limits;

use super::error::ConfigError;
use super::size;

/// What a box of this tier may use at the most.
pub type Tier = Limits;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    /// Processors.
    cpu: Option<f64>,
    /// Memory of the engine and everything that it starts.
    memory: Option<String>,
    /// Processes and threads.
    pids: Option<u32>,
    /// Bytes in the home.
    disk: Option<String>,
}

/// The file's tiers over the default ones, key by key.
pub(crate) fn settle(
    base: BTreeMap<String, Written>,
    file: BTreeMap<String, Written>,
) -> Result<BTreeMap<String, Tier>, ConfigError> {
    let mut merged = base;
    for (name, over) in file {
        let under = merged.remove(&name).unwrap_or_default();
        let tier = Written {
            cpu: over.cpu.or(under.cpu),
            memory: over.memory.or(under.memory),
            pids: over.pids.or(under.pids),
            disk: over.disk.or(under.disk),
        };
        merged.insert(name, tier);
    }
    merged
        .into_iter()
        .map(|(name, written)| {
            let tier = limits(&name, &written)?;
            Ok((name, tier))
        })
        .collect()
}

fn limits(name: &str, written: &Written) -> Result<Limits, ConfigError> {
    let key = |part: &str| format!("tiers.{name}.{part}");
    let bytes = |part: &str, text: Option<&str>| match text {
        None => Ok(0),
        Some(text) => size::parse(text).ok_or_else(|| {
            ConfigError::value(key(part), format!("`{text}` is not a size"), "write it like `2GiB`")
        }),
    };
    let cpu = written.cpu.unwrap_or(0.0);
    if !(0.0..=1024.0).contains(&cpu) || (cpu > 0.0 && cpu < 0.05) {
        let why = format!("{cpu} is not a number of processors");
        return Err(ConfigError::value(key("cpu"), why, "write one between 0.05 and 1024"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be between 0 and 1024"
    )]
    let cpu_millis = (cpu * 1000.0).round() as u32;
    Ok(Limits {
        cpu_millis,
        memory_bytes: bytes("memory", written.memory.as_deref())?,
        pids: written.pids.unwrap_or(0),
        disk_bytes: bytes("disk", written.disk.as_deref())?,
    })
}
