//! Cgroups of execs, where this machine lets the test make some.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use smartbox_link::wire::ExecOrder;
use tokio::time::timeout;

use crate::house::{
    House, Plan, SOON, command, gone, hear, order, pid_in, run, run_late, script, until,
};

/// A cgroup of our own, removed with the test.
struct Cgroup(PathBuf);

impl Cgroup {
    /// Makes one in each hierarchy in which that can be done: version 2, and the freezer of version 1.
    fn all() -> Vec<Self> {
        let roots = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup", "/sys/fs/cgroup/freezer"];
        let roots =
            roots.into_iter().map(Path::new).filter(|root| root.join("cgroup.procs").exists());
        roots.filter_map(Self::beneath).collect()
    }

    fn beneath(root: &Path) -> Option<Self> {
        let unique = tempfile::Builder::new().prefix("smartbox-init-test-").tempdir().ok()?;
        let path = root.join(unique.path().file_name()?);
        std::fs::create_dir(&path).ok()?;
        let made = Self(path);
        let joins = std::fs::File::options().write(true).open(made.0.join("cgroup.procs"));
        joins.is_ok().then_some(made)
    }

    fn plan(&self) -> Plan {
        let procs = std::fs::File::options().write(true).open(self.0.join("cgroup.procs")).unwrap();
        let dir: OwnedFd = std::fs::File::open(&self.0).unwrap().into();
        Plan { track: Some(dir), joins: vec![procs.into()], ..Plan::default() }
    }

    fn children(&self) -> usize {
        let entries = std::fs::read_dir(&self.0).unwrap();
        entries.filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_dir()).count()
    }

    fn freeze(&self, frozen: bool) {
        let v2 = self.0.join("cgroup.freeze");
        if v2.exists() {
            std::fs::write(v2, if frozen { "1" } else { "0" }).unwrap();
        } else {
            std::fs::write(self.0.join("freezer.state"), if frozen { "FROZEN" } else { "THAWED" })
                .unwrap();
        }
    }

    fn version_2(&self) -> bool {
        self.0.join("cgroup.freeze").exists()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Dead processes leave their cgroup a moment after they are reaped.
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while std::fs::remove_dir(&self.0).is_err() && std::time::Instant::now() < until {
            for entry in std::fs::read_dir(&self.0).into_iter().flatten().flatten() {
                let _ = std::fs::remove_dir(entry.path());
            }
            std::thread::yield_now();
        }
    }
}

#[tokio::test]
async fn each_command_has_a_cgroup_that_is_killed_whole_and_removed() {
    for cgroup in Cgroup::all() {
        let house = House::build(cgroup.plan());
        let link = house.link().await;
        assert!(link.status().await.unwrap().confined.contains(&"cgroup-per-exec".to_owned()));
        let name = cgroup.0.file_name().unwrap().to_str().unwrap();
        let said = run(&link, command(&["cat", "/proc/self/cgroup"]), b"").await;
        assert!(said.stdout.contains(&format!("{name}/x")), "{}", said.stdout);
        // It clears its environment, detaches twice and ignores signals: a cgroup does not care.
        let text = "env -i setsid sh -c 'trap \"\" HUP TERM; env -i setsid sh -c \"echo \\$\\$ >daemon; exec sleep 1000\" & exit' & exec sleep 1000";
        let (said, pids) = run_late(&house, &link, &script(text), &["daemon"]).await;
        assert!(said.exit.timed_out);
        gone(pids[0]).await;
        until(async || (cgroup.children() == 0).then_some(())).await;
        drop(house);
    }
}

#[tokio::test]
async fn the_engine_is_stopped_without_its_neighbours() {
    for cgroup in Cgroup::all() {
        let house = House::build(cgroup.plan());
        let link = house.link().await;
        let mut order = order(
            "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$ >daemon; exec sleep 1000' & while :; do sleep 1; done",
        );
        order.cwd = house.document.home.clone();
        link.engine_start(&order).await.unwrap();
        let mut exec = link.exec(script("echo $$ >exec; exec sleep 1000")).await.unwrap();
        let daemon = pid_in(&house.home().join("daemon")).await;
        let neighbour = pid_in(&house.home().join("exec")).await;
        link.engine_stop(Duration::from_millis(100)).await.unwrap();
        gone(daemon).await;
        assert!(crate::house::runs(neighbour));
        exec.input.send(smartbox_link::frame::Frame::Signal(15)).await.unwrap();
        assert_eq!(timeout(SOON, hear(&mut exec)).await.unwrap().exit.signal, Some(15));
        until(async || (cgroup.children() == 0).then_some(())).await;
        drop(house);
    }
}

#[tokio::test]
async fn a_command_in_a_frozen_box_waits_and_init_does_not() {
    for cgroup in Cgroup::all() {
        let house = House::build(cgroup.plan());
        let link = house.link().await;
        cgroup.freeze(true);
        let mut waiting = link.exec(command(&["echo", "thawed"])).await.unwrap();
        until(async || (link.status().await.unwrap().execs == 1).then_some(())).await;
        if cgroup.version_2() {
            let late = ExecOrder { timeout_ms: Some(100), ..command(&["true"]) };
            assert!(
                run(&link, late, b"").await.exit.timed_out,
                "frozen ones of version 2 can be killed"
            );
        }
        cgroup.freeze(false);
        assert_eq!(timeout(SOON, hear(&mut waiting)).await.unwrap().stdout, "thawed\n");
        drop(house);
    }
}
