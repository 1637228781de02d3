//! What the box's user locked itself out of: a file or a directory of its own whose mode lets not even
//! its owner read. It could change the mode at any time, so nothing is opened that it could not open; but
//! nobody has to touch the home for it.
//!
//! The reader keeps one privilege for that, to read and to search whatever the mode, and has it in force
//! for single calls only. What it opens by it counts only if it is the box's own. The one call by which
//! that privilege would lead out of the view is taken away first, or the privilege is not kept.

use std::collections::BTreeMap;
use std::io;

use rustix::io::Errno;
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

const SEARCH: CapabilitySet = CapabilitySet::DAC_READ_SEARCH;
/// Calls of the x32 ABI have this bit.
#[cfg(target_arch = "x86_64")]
const X32: i64 = 0x4000_0000;

/// Files by number instead of by name: they would be found outside of the view.
pub(super) fn forbid_handles() -> io::Result<()> {
    let calls = [libc::SYS_open_by_handle_at, libc::SYS_name_to_handle_at];
    #[cfg(target_arch = "x86_64")]
    let calls = calls.into_iter().flat_map(|call| [call, call | X32]);
    let rules: BTreeMap<_, _> = calls.into_iter().map(|call| (call, Vec::new())).collect();
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch);
    let program = BpfProgram::try_from(filter.map_err(io::Error::other)?);
    apply_filter(&program.map_err(io::Error::other)?).map_err(io::Error::other)
}

/// Gives every privilege away but that one, which rests until it is needed. Says whether it was there.
pub(super) fn keep(wanted: bool) -> io::Result<bool> {
    if wanted && hold(CapabilitySet::empty()).is_ok() {
        return Ok(true);
    }
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    set_capabilities(None, sets)?;
    Ok(false)
}

fn hold(effective: CapabilitySet) -> Result<(), Errno> {
    let inheritable = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective, permitted: SEARCH, inheritable })
}

/// Does something, and once more whatever the modes if they forbid it.
pub(super) fn insist<T>(may: bool, work: impl Fn() -> Result<T, Errno>) -> Result<T, Errno> {
    match work() {
        Err(Errno::ACCESS) if may => {
            hold(SEARCH)?;
            let done = work();
            hold(CapabilitySet::empty())?;
            done
        }
        other => other,
    }
}
