//! Reading what boxes and the machine use.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use smartbox_core::BoxFuture;
use smartbox_core::id::SmartboxId;
use smartbox_core::machine::port::Gauges;
use smartbox_core::machine::{HomeUse, Machine, Space};
use smartbox_core::sandbox::port::RuntimeError;

use super::error::blocking;
use super::{Inner, Native, guard, usage};

/// How long a measurement of a home counts as one from now: a walk costs.
const FRESH: Duration = Duration::from_secs(60);

impl Gauges for Native {
    fn machine(&self) -> Machine {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let disk = rustix::fs::statvfs(&self.0.config.data_dir).map(|stat| Space {
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
        });
        let info = read("/proc/meminfo");
        Machine {
            cpus: std::thread::available_parallelism()
                .map_or(0, |n| u32::try_from(n.get()).unwrap_or(u32::MAX)),
            load: load(&read("/proc/loadavg")),
            memory: space(&info, "MemTotal:", "MemAvailable:"),
            swap: space(&info, "SwapTotal:", "SwapFree:"),
            disk: disk.unwrap_or_default(),
        }
    }

    fn home(&self, id: SmartboxId) -> BoxFuture<'_, Result<HomeUse, RuntimeError>> {
        Box::pin(async move { home(&self.0, &id).await })
    }
}

async fn home(inner: &Inner, id: &SmartboxId) -> Result<HomeUse, RuntimeError> {
    let dir = inner.dir(id);
    if let Some(watched) = guard(&inner.watch).get(id).and_then(super::watch::Watched::home) {
        return Ok(watched);
    }
    let limit = dir.read_meta().map_or(0, |meta| meta.limits.disk_bytes);
    let known = guard(&inner.homes).get(id).copied();
    if let Some((_, used)) = known.filter(|(at, _)| at.elapsed() < FRESH) {
        return Ok(HomeUse { used, limit });
    }
    let home = dir.home();
    let used = blocking("measuring a home", move || measure(&home)).await?;
    guard(&inner.homes).insert(id.clone(), (Instant::now(), used));
    Ok(HomeUse { used, limit })
}

fn measure(home: &Path) -> io::Result<u64> {
    match usage::measure(home) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(0),
        other => other,
    }
}

fn space(info: &str, total: &str, free: &str) -> Space {
    let field = |name: &str| -> Option<u64> {
        let rest = info.lines().find_map(|line| line.strip_prefix(name))?;
        rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    };
    Space { total: field(total).unwrap_or(0), free: field(free).unwrap_or(0) }
}

fn load(text: &str) -> f64 {
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_words_are_read() {
        let info = "MemTotal:  2048 kB\nMemAvailable: 1024 kB\nSwapTotal: 0 kB\n";
        let memory = Space { total: 2 << 20, free: 1 << 20 };
        assert_eq!(space(info, "MemTotal:", "MemAvailable:"), memory);
        assert_eq!(space(info, "SwapTotal:", "SwapFree:"), Space::default());
        assert!((load("0.52 0.41 0.30 1/200 4711\n") - 0.52).abs() < 1e-9);
        assert!(load("").abs() < 1e-9);
    }

    #[test]
    fn a_home_that_is_not_there_holds_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(measure(&dir.path().join("none")).unwrap(), 0);
    }
}
