//! Finding the hierarchies that we may use.
//!
//! Root uses the top of each; an ordinary user the highest directory above its own process that
//! was delegated to it (version 2 only: version 1 is never delegated safely).

use std::fs;
use std::path::{Path, PathBuf};

use super::{Cgroups, Hierarchy};

/// The controllers that we have a use for. `freezer` exists in version 1 only.
const WANTED: [&str; 4] = ["cpu", "memory", "pids", "freezer"];

pub(super) fn find(installation: &str) -> Result<Cgroups, String> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let root = rustix::process::geteuid().is_root();
    let name = format!("smartbox-{installation}");
    let mut hierarchies = Vec::new();
    for (kind, dir, options) in mounts.lines().filter_map(mount) {
        let unified = kind == "cgroup2";
        let at = match (root, unified) {
            (true, _) => dir,
            (false, true) => match delegated(&dir, &own) {
                Some(at) => at,
                None => continue,
            },
            (false, false) => continue,
        };
        let controllers = if unified {
            let text = fs::read_to_string(at.join("cgroup.subtree_control")).unwrap_or_default();
            wanted(text.split_whitespace())
        } else {
            wanted(options.split(','))
        };
        if unified || !controllers.is_empty() {
            hierarchies.push(Hierarchy { base: at.join(&name), unified, controllers });
        }
    }
    hierarchies.retain(usable);
    settle(hierarchies)
}

fn settle(hierarchies: Vec<Hierarchy>) -> Result<Cgroups, String> {
    let by = |wanted: &dyn Fn(&Hierarchy) -> bool| hierarchies.iter().position(wanted);
    let track = by(&|h| h.unified).or_else(|| by(&|h| h.has("freezer"))).or_else(|| by(&|_| true));
    match track {
        Some(track) => Ok(Cgroups { hierarchies, track }),
        None => {
            Err("no cgroup hierarchy may be written; `systemd-run --user --scope -p Delegate=yes \
             smartbox up` gives an ordinary user one"
                .to_owned())
        }
    }
}

/// Kind, directory and options of a line that mounts cgroups.
fn mount(line: &str) -> Option<(&str, PathBuf, &str)> {
    let mut words = line.split(' ');
    let (_, dir, kind, options) = (words.next()?, words.next()?, words.next()?, words.next()?);
    kind.starts_with("cgroup").then(|| (kind, PathBuf::from(dir.replace("\\040", " ")), options))
}

fn wanted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.filter(|name| WANTED.contains(name)).map(str::to_owned).collect()
}

/// The highest directory, from the hierarchy's top down to our own, that we may write and that has
/// no processes of its own (they would keep it from having children with controllers).
fn delegated(top: &Path, own: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let mut at = top.to_owned();
    let mut all = vec![at.clone()];
    for part in path.split('/').filter(|part| !part.is_empty()) {
        at = at.join(part);
        all.push(at.clone());
    }
    all.into_iter().find(|dir| {
        let may = |path: &Path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok();
        may(dir) && may(&dir.join("cgroup.procs")) && may(&dir.join("cgroup.subtree_control"))
    })
}

/// Whether a directory can really be made there and freezes, if it should.
fn usable(hierarchy: &Hierarchy) -> bool {
    let existed = hierarchy.base.is_dir();
    if !existed && fs::create_dir(&hierarchy.base).is_err() {
        return false;
    }
    let freezes = !hierarchy.unified || hierarchy.base.join("cgroup.freeze").exists();
    if !existed {
        // Fails if another process has begun to use it meanwhile, as it should.
        let _ = fs::remove_dir(&hierarchy.base);
    }
    freezes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_of_cgroups_are_told_from_others() {
        assert!(mount("tmpfs /sys/fs/cgroup tmpfs rw 0 0").is_none());
        let (kind, dir, options) =
            mount("cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0").unwrap();
        assert_eq!((kind, dir.to_str().unwrap()), ("cgroup", "/sys/fs/cgroup/memory"));
        assert_eq!(wanted(options.split(',')), ["memory"]);
    }

    #[test]
    fn nothing_usable_is_an_answer_with_a_hint() {
        assert!(settle(Vec::new()).unwrap_err().contains("systemd-run"));
    }
}
