//! The machine's memory, as the kernel tells it: all of it, or as much as the cgroup that we are in
//! may take, for whoever runs the platform within a limit.

use std::fs;
use std::path::Path;

use smartbox_core::host::HostMemory;
use smartbox_core::host::port::Host;

/// This machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine;

impl Host for Machine {
    fn memory(&self) -> Option<HostMemory> {
        let whole = meminfo(&fs::read_to_string("/proc/meminfo").ok()?)?;
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Some(within(whole, limit(Path::new("/sys/fs/cgroup"), &own)))
    }
}

fn meminfo(text: &str) -> Option<HostMemory> {
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        kib.checked_mul(1024)
    };
    Some(HostMemory { total: field("MemTotal:")?, available: field("MemAvailable:")? })
}

fn within(whole: HostMemory, limit: Option<u64>) -> HostMemory {
    let limit = limit.unwrap_or(u64::MAX);
    HostMemory { total: whole.total.min(limit), available: whole.available.min(limit) }
}

/// The lowest limit on the way up from our own cgroup of version 2; none where there is none.
fn limit(root: &Path, own: &str) -> Option<u64> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let read = |dir: &Path| -> Option<u64> {
        fs::read_to_string(dir.join("memory.max")).ok()?.trim().parse().ok()
    };
    let own = root.join(path);
    own.ancestors().take_while(|dir| dir.starts_with(root)).filter_map(read).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_numbers_are_read() {
        let text = "MemTotal:        2048 kB\nMemFree:  1 kB\nMemAvailable:    1024 kB\n";
        assert_eq!(meminfo(text), Some(HostMemory { total: 2 << 20, available: 1 << 20 }));
        assert_eq!(meminfo("MemTotal: 1 kB\n"), None);
        assert!(Machine.memory().is_some_and(|memory| memory.total >= memory.available));
    }

    #[test]
    fn the_lowest_limit_above_us_counts() {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("a/b");
        fs::create_dir_all(&own).unwrap();
        fs::write(root.path().join("a/memory.max"), "4096\n").unwrap();
        fs::write(own.join("memory.max"), "max\n").unwrap();
        assert_eq!(limit(root.path(), "1:cpu:/x\n0::/a/b\n"), Some(4096));
        assert_eq!(limit(root.path(), "0::/\n"), None);
        assert_eq!(limit(root.path(), "1:cpu:/x\n"), None);
        let whole = HostMemory { total: 9000, available: 100 };
        assert_eq!(within(whole, Some(4096)), HostMemory { total: 4096, available: 100 });
    }
}
