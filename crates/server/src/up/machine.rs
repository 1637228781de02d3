//! What a person might want to know of this machine.

use crate::config::sleep::Sleep;

const SMALL: u64 = 4 << 30;

/// A word of advice for a machine with little memory on which boxes never sleep.
pub(crate) fn advice(sleep: &Sleep) -> Vec<String> {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    match total(&meminfo) {
        Some(bytes) if bytes < SMALL && sleep.after.is_none() => vec![format!(
            "this machine has {:.1} GiB of memory and an awake box takes nearly one: with \
             SANDBOX_SLEEP_AFTER=10m idle boxes sleep and wake on demand",
            gib(bytes)
        )],
        _ => Vec::new(),
    }
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[expect(clippy::cast_precision_loss, reason = "for people, to a tenth")]
fn gib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_from_its_line() {
        assert_eq!(total("MemTotal:        2048 kB\nMemFree: 1 kB\n"), Some(2 << 20));
        assert_eq!(total("MemFree: 1 kB\n"), None);
    }
}
