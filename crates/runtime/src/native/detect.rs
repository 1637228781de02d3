//! What this machine can do: tried once, reported, never assumed.

use std::collections::BTreeMap;
use std::fs;

use smartbox_core::sandbox::port::RuntimeError;
use smartbox_core::sandbox::{Capabilities, Feature};

use super::config::{NativeConfig, Profile};
use super::{helper, swap, sys};
use crate::cgroup::Cgroups;
use crate::nest::spec::{Fault, Level, Order};

/// What `--insecure-no-sandbox` takes away besides what other profiles may lack, too.
const UNBOXED: [(&str, &str); 3] = [
    (
        "files",
        "an assistant's programs read and change whatever the platform's own user can, its keys too",
    ),
    (
        "network",
        "the machine's own: rules for what leaves hold for programs that use the proxy, and for no other",
    ),
    (
        "ports",
        "the machine's own: one smartbox can be up at a time, and every program here can speak to it as its owner",
    ),
];

/// What was found.
pub(super) struct Found {
    pub(super) level: Level,
    pub(super) cgroups: Option<Cgroups>,
    pub(super) capabilities: Capabilities,
}

pub(super) async fn detect(config: &NativeConfig) -> Result<Found, RuntimeError> {
    let level = level(config).await?;
    let cgroups = Cgroups::find(&config.installation);
    let capabilities = Capabilities {
        driver: "native".to_owned(),
        profile: match level {
            Level::Full => "full",
            Level::Reduced => "reduced",
            Level::None => Capabilities::UNISOLATED,
        }
        .to_owned(),
        features: features(config, level, cgroups.as_ref().map_err(String::as_str)),
    };
    Ok(Found { level, cgroups: cgroups.ok(), capabilities })
}

async fn level(config: &NativeConfig) -> Result<Level, RuntimeError> {
    let root = rustix::process::geteuid().is_root();
    let level = match (config.profile, root) {
        (Profile::InsecureNone, _) => return Ok(Level::None),
        (Profile::Full, false) => {
            return Err(unsupported(
                "the full profile needs root; run as root or choose `reduced`",
            ));
        }
        (Profile::Reduced, true) => {
            return Err(unsupported(
                "the reduced profile is for an ordinary user: as root, a box's user would be root",
            ));
        }
        (_, true) => Level::Full,
        (_, false) => Level::Reduced,
    };
    let actions = fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail").unwrap_or_default();
    if !["kill_process", "errno"].iter().all(|a| actions.split_whitespace().any(|b| b == *a)) {
        return Err(unsupported(
            "the kernel has no system call filter (seccomp); boxes do not run without one",
        ));
    }
    match helper::run(&config.helper, &Order::Probe { profile: level }).await?.fault {
        None => Ok(level),
        Some(fault) => Err(unsupported(&hint(&fault, &read_switch))),
    }
}

fn unsupported(why: &str) -> RuntimeError {
    RuntimeError::Unsupported { why: why.to_owned() }
}

fn read_switch(name: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))).ok()?;
    Some(text.trim().to_owned())
}

/// What is missing and the command that mends it.
fn hint(fault: &Fault, switch: &dyn Fn(&str) -> Option<String>) -> String {
    let switches = [
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("user.max_user_namespaces", "0", "15000"),
    ];
    let wrong = switches.iter().find(|(name, bad, _)| switch(name).as_deref() == Some(bad));
    let mend = match wrong {
        Some((name, _, good)) => format!("`sudo sysctl -w {name}={good}` allows it"),
        None if fault.doing.contains("/proc") => "this looks like a container that hides parts of \
             /proc; give it `--security-opt systempaths=unconfined` or run outside it"
            .to_owned(),
        None => {
            "inside a container, give it the rights to make namespaces (`--privileged`) or run \
             outside it"
                .to_owned()
        }
    };
    format!("this machine does not let boxes be isolated: {fault}; {mend}")
}

fn features(
    config: &NativeConfig,
    level: Level,
    cgroups: Result<&Cgroups, &str>,
) -> BTreeMap<String, Feature> {
    let mut all = BTreeMap::new();
    let mut say = |name: &str, on: bool, note: &str| {
        all.insert(name.to_owned(), Feature { on, note: note.to_owned() });
    };
    let isolated = level != Level::None;
    let off = "--insecure-no-sandbox";
    let note = if isolated { "user, mount, pid, network, uts, ipc and cgroup" } else { off };
    say("namespaces", isolated, note);
    say("seccomp", isolated, if isolated { "system call filter, no new privileges" } else { off });
    let landlock = sys::landlock_version();
    let note = format!("version {landlock}; applied by init");
    say(
        "landlock",
        isolated && landlock > 0,
        if landlock > 0 { &note } else { "not in this kernel" },
    );
    match level {
        Level::Full => say("uid-per-box", true, &format!("from {}", config.uid_base)),
        _ => say("uid-per-box", false, "needs root: all boxes have the platform's own uid"),
    }
    let found = |what: &str| -> (bool, String) {
        match cgroups {
            Ok(cgroups) if cgroups.has(what) => (true, cgroups.flavour()),
            Ok(cgroups) => (false, format!("no {what} controller in {}", cgroups.flavour())),
            Err(why) => (false, why.to_owned()),
        }
    };
    let flavour = cgroups.map_or_else(str::to_owned, Cgroups::flavour);
    say("cgroup", cgroups.is_ok(), &flavour);
    for (name, controller) in [("limit-cpu", "cpu"), ("limit-memory", "memory")] {
        let (on, note) = found(controller);
        say(name, on, &note);
    }
    match found("pids") {
        (true, note) => say("limit-pids", true, &note),
        (false, _) if isolated => {
            say("limit-pids", true, "RLIMIT_NPROC of the box's user namespace");
        }
        (false, note) => say("limit-pids", false, &note),
    }
    match cgroups.ok().and_then(Cgroups::freezer) {
        Some(how) => say("freezer", true, how),
        None => say("freezer", true, "signals: no cgroup freezer"),
    }
    match (level, swap::allowed(config.allow_plain_swap)) {
        (Level::Full, Ok(note)) => say("page-out", true, &note),
        (Level::Full, Err(why)) => say("page-out", false, &why),
        _ => say("page-out", false, "needs root"),
    }
    let note = if isolated {
        "measured; at the limit writes are refused, ten per cent beyond it the writers are killed"
    } else {
        off
    };
    say("limit-disk", isolated, note);
    if !isolated {
        for (name, note) in UNBOXED {
            say(name, false, note);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(doing: &str) -> Fault {
        Fault { doing: doing.into(), text: "not permitted".into(), errno: Some(libc::EPERM) }
    }

    #[test]
    fn a_switch_that_forbids_is_named_with_its_command() {
        let ubuntu = |name: &str| (name.contains("apparmor")).then(|| "1".to_owned());
        let text = hint(&fault("making a user namespace"), &ubuntu);
        assert!(
            text.contains("sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
            "{text}"
        );
        let debian = |name: &str| (name.contains("clone")).then(|| "0".to_owned());
        let text = hint(&fault("making a user namespace"), &debian);
        assert!(text.contains("sysctl -w kernel.unprivileged_userns_clone=1"), "{text}");
    }

    #[test]
    fn a_masked_proc_points_to_the_container() {
        let text = hint(&fault("mounting a private /proc"), &|_| None);
        assert!(text.contains("systempaths=unconfined"), "{text}");
    }
}
