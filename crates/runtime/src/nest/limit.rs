//! Lowering and raising how large a file a box's processes may write.
//!
//! The soft limit is what the kernel enforces; the filter keeps the box from changing it itself.

use rustix::process::{Gid, Pid, Resource, Rlimit, Uid};

use super::fault::Doing;
use super::spec::{Fault, Limit, Reply};

/// Carries it out. Processes that ended meanwhile are no error.
pub(super) fn limit(order: &Limit) -> Reply {
    Reply { fault: apply(order).err(), ..Reply::default() }
}

fn apply(order: &Limit) -> Result<(), Fault> {
    if let Some((uid, gid)) = order.become_uid {
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        rustix::thread::set_thread_groups(&[]).doing("dropping groups")?;
        rustix::thread::set_thread_res_gid(gid, gid, gid).doing("becoming the box's group")?;
        rustix::thread::set_thread_res_uid(uid, uid, uid).doing("becoming the box's user")?;
    }
    for pid in order.pids.iter().filter_map(|pid| Pid::from_raw(*pid)) {
        // Reading the hard limit of another process goes through the same call.
        let Some(hard) = hard_limit(pid) else { continue };
        let soft = match (order.bytes, hard) {
            (Some(bytes), Some(hard)) => Some(bytes.min(hard)),
            (Some(bytes), None) => Some(bytes),
            (None, hard) => hard,
        };
        match rustix::process::prlimit(
            Some(pid),
            Resource::Fsize,
            Rlimit { current: soft, maximum: hard },
        ) {
            Ok(_) | Err(rustix::io::Errno::SRCH) => {}
            Err(e) => return Err(e).doing("limiting a process"),
        }
    }
    Ok(())
}

/// From `/proc/<pid>/limits`: `None` if it is gone, `Some(None)` if there is no limit.
fn hard_limit(pid: Pid) -> Option<Option<u64>> {
    let text = std::fs::read_to_string(format!("/proc/{}/limits", pid.as_raw_nonzero())).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Max file size"))?;
    Some(line.split_whitespace().nth(1)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hard_limit_of_a_process_is_read() {
        let own = rustix::process::getrlimit(Resource::Fsize).maximum;
        assert_eq!(hard_limit(rustix::process::getpid()), Some(own));
    }
}
