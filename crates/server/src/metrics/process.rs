//! The process itself, under the names that every exporter has for it.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use rustix::param::{clock_ticks_per_second, page_size};
use smartbox_core::time::Timestamp;

/// What cannot be read is left out.
pub(super) fn gauges(started: Timestamp) -> Registry {
    let mut to = Registry::with_prefix("process");
    let help = "When the platform was started, in seconds since 1970";
    // Milliseconds since 1970 are far from where a float has no more room.
    float(&mut to, "start_time", help, started.0 as f64 / 1e3);
    if let Some((resident, cpu)) = used() {
        let gauge = Gauge::<u64, AtomicU64>::default();
        gauge.set(resident);
        let help = "Memory that the control plane holds; boxes are processes of their own";
        to.register_with_unit("resident_memory", help, Unit::Bytes, gauge);
        let counter = Counter::<f64, AtomicU64>::default();
        counter.inc_by(cpu);
        let help = "Processor time of the control plane";
        to.register_with_unit("cpu", help, Unit::Seconds, counter);
    }
    if let Ok(dir) = std::fs::read_dir("/proc/self/fd") {
        let gauge = Gauge::<u64, AtomicU64>::default();
        // The one that reads the directory is among them.
        gauge.set((dir.count() as u64).saturating_sub(1));
        to.register("open_fds", "Open descriptors of the control plane", gauge);
    }
    to
}

fn float(to: &mut Registry, name: &str, help: &str, value: f64) {
    let gauge = Gauge::<f64, AtomicU64>::default();
    gauge.set(value);
    to.register_with_unit(name, help, Unit::Seconds, gauge);
}

/// Bytes of memory and seconds of processor time.
fn used() -> Option<(u64, f64)> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program, in parentheses, may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let ticks = number(11)? + number(12)?;
    let resident = number(21)? * page_size() as u64;
    Some((resident, ticks as f64 / clock_ticks_per_second() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_holds_some_memory_and_uses_some_time() {
        let before = used().unwrap();
        assert!(before.0 > 100_000, "{before:?}");
        let mut more = std::hint::black_box(1_u64);
        while used().unwrap().1 <= before.1 {
            more = std::hint::black_box(more.wrapping_mul(3));
        }
    }
}
