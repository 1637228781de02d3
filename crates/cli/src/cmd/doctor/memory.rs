//! Memory, and swap for frozen boxes.

use std::fs;

use super::check::Check;
use crate::ui::size;

/// What an assistant that is awake takes, with something to spare for its children.
const AWAKE: u64 = 1 << 30;
const ZRAM: &str = "modprobe zram && zramctl /dev/zram0 --algorithm lz4 --size 8G && \
                    mkswap /dev/zram0 && swapon --priority 100 /dev/zram0";

pub(super) fn checks() -> Vec<Check> {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let swaps = fs::read_to_string("/proc/swaps").unwrap_or_default();
    vec![memory(&info), swap(&swaps)]
}

fn memory(info: &str) -> Check {
    const NAME: &str = "memory";
    let field = |name: &str| -> Option<u64> {
        let rest = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        rest.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|n| n << 10)
    };
    let (Some(total), Some(free)) = (field("MemTotal"), field("MemAvailable")) else {
        return Check::warn(
            NAME,
            "how much memory there is cannot be read",
            "look at /proc/meminfo",
        );
    };
    let what = format!("{} free of {}", size::bytes(free), size::bytes(total));
    if total < AWAKE {
        let what = format!("{what}: too little for one assistant");
        return Check::fail(NAME, what, "an assistant needs 1 GiB while it is awake");
    }
    if free < AWAKE {
        let hint = "let idle smartboxes sleep (SANDBOX_SLEEP_AFTER=10m), or end other programs";
        return Check::warn(NAME, format!("{what}: too little for one more assistant"), hint);
    }
    Check::ok(NAME, format!("{what}: about {} assistants awake at once", total / AWAKE))
}

fn swap(swaps: &str) -> Check {
    const NAME: &str = "swap";
    let devices: Vec<&str> =
        swaps.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    if devices.is_empty() {
        let what = "there is no swap: a frozen smartbox keeps its memory";
        return Check::warn(NAME, what, format!("as root: {ZRAM}"));
    }
    if devices.iter().all(|device| device.starts_with("/dev/zram")) {
        return Check::ok(NAME, "frozen smartboxes are paged out to compressed memory (zram)");
    }
    Check::warn(
        NAME,
        format!(
            "swap is on {}: what is said to an assistant may reach that disk",
            devices.join(", ")
        ),
        format!("use an encrypted swap, or zram; as root: {ZRAM}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::doctor::check::Level;

    #[test]
    fn too_little_memory_is_said() {
        let info = |total: u64, free: u64| {
            format!("MemTotal:  {total} kB\nMemFree: 1 kB\nMemAvailable: {free} kB\n")
        };
        assert_eq!(memory(&info(4 << 20, 3 << 20)).level, Level::Ok);
        assert_eq!(memory(&info(4 << 20, 1 << 18)).level, Level::Warn);
        assert_eq!(memory(&info(1 << 19, 1 << 18)).level, Level::Fail);
        assert_eq!(memory("").level, Level::Warn);
    }

    #[test]
    fn zram_is_good_and_a_disk_is_warned_of() {
        let head = "Filename\tType\tSize\tUsed\tPriority\n";
        let none = swap(head);
        assert!(none.level == Level::Warn && none.hint.contains("swapon"));
        assert_eq!(swap(&format!("{head}/dev/zram0 partition 8 0 100\n")).level, Level::Ok);
        let disk = swap(&format!("{head}/swapfile file 8 0 -2\n"));
        assert!(disk.level == Level::Warn && disk.what.contains("/swapfile"));
    }
}
