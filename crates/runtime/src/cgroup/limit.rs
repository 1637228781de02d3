//! What the helper writes and joins, so that a box has its limits from its first instruction.

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::Limits;

use super::{Cgroups, Hierarchy};
use crate::nest::spec;

/// Microseconds over which a processor quota counts.
const PERIOD: u64 = 100_000;

impl Cgroups {
    /// The helper's part.
    pub(crate) fn order(&self, id: &SmartboxId, limits: &Limits, cpu_millis: u32) -> spec::Cgroups {
        let mut order = spec::Cgroups::default();
        for hierarchy in &self.hierarchies {
            let dir = hierarchy.of(id);
            let engine = dir.join("engine");
            order.init.push(dir.join("init/cgroup.procs"));
            order.engine.push(engine.join("cgroup.procs"));
            order.roots.push(dir.join("cgroup.procs"));
            if hierarchy.unified {
                // Only now that the root of the cgroup namespace is empty again.
                if let Some(text) = hierarchy.enabling() {
                    order.writes.push((dir.join("cgroup.subtree_control"), text, true));
                }
            }
            let limits = limits_of(hierarchy, limits, cpu_millis);
            order.writes.extend(
                limits.into_iter().map(|(name, value, must)| (engine.join(name), value, must)),
            );
            if hierarchy.has("memory") {
                let name = if hierarchy.unified { "memory.events" } else { "memory.oom_control" };
                order.oom = Some(engine.join(name));
            }
        }
        order.track = Some(self.tracking(id).join("engine"));
        order
    }

    /// Changes the processor quota of a box that is there; 0 takes it away.
    pub(crate) fn set_cpu(&self, id: &SmartboxId, millis: u32) -> std::io::Result<()> {
        for hierarchy in self.hierarchies.iter().filter(|h| h.has("cpu")) {
            let (name, value) = cpu(hierarchy, millis);
            std::fs::write(hierarchy.of(id).join("engine").join(name), value)?;
        }
        Ok(())
    }
}

fn cpu(hierarchy: &Hierarchy, millis: u32) -> (&'static str, String) {
    let quota = u64::from(millis) * PERIOD / 1000;
    match (hierarchy.unified, millis) {
        (true, 0) => ("cpu.max", format!("max {PERIOD}")),
        (true, _) => ("cpu.max", format!("{quota} {PERIOD}")),
        (false, 0) => ("cpu.cfs_quota_us", "-1".to_owned()),
        // The period stays at the kernel's default, which is the same.
        (false, _) => ("cpu.cfs_quota_us", quota.to_string()),
    }
}

fn limits_of(
    hierarchy: &Hierarchy,
    limits: &Limits,
    cpu_millis: u32,
) -> Vec<(&'static str, String, bool)> {
    let mut out = Vec::new();
    let memory = limits.memory_bytes;
    if hierarchy.has("memory") && memory > 0 {
        if hierarchy.unified {
            out.push(("memory.max", memory.to_string(), true));
            // Room to page a whole box out, and no more.
            out.push(("memory.swap.max", memory.to_string(), false));
        } else {
            out.push(("memory.limit_in_bytes", memory.to_string(), true));
            let both = memory.saturating_mul(2).to_string();
            out.push(("memory.memsw.limit_in_bytes", both, false));
        }
    }
    if hierarchy.has("pids") && limits.pids > 0 {
        out.push(("pids.max", limits.pids.to_string(), true));
    }
    if hierarchy.has("cpu") && cpu_millis > 0 {
        let (name, value) = cpu(hierarchy, cpu_millis);
        out.push((name, value, true));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hierarchy(unified: bool) -> Hierarchy {
        let controllers = ["cpu", "memory", "pids"].map(str::to_owned).to_vec();
        Hierarchy { base: "/nowhere".into(), unified, controllers }
    }

    #[test]
    fn limits_are_written_in_the_words_of_each_version() {
        let limits = Limits { cpu_millis: 500, memory_bytes: 1 << 30, pids: 7, disk_bytes: 0 };
        let old = limits_of(&hierarchy(false), &limits, 500);
        assert!(old.contains(&("memory.limit_in_bytes", "1073741824".into(), true)));
        assert!(old.contains(&("cpu.cfs_quota_us", "50000".into(), true)));
        let new = limits_of(&hierarchy(true), &limits, 500);
        assert!(new.contains(&("memory.max", "1073741824".into(), true)));
        assert!(new.contains(&("cpu.max", "50000 100000".into(), true)));
        assert!(new.contains(&("pids.max", "7".into(), true)));
    }

    #[test]
    fn zero_means_no_limit() {
        let none = Limits { cpu_millis: 0, memory_bytes: 0, pids: 0, disk_bytes: 0 };
        assert!(limits_of(&hierarchy(true), &none, 0).is_empty());
    }
}
