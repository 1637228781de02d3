//! A hostile box: what it tries, and that it does not work.

use smartbox_core::id::SmartboxId;
use smartbox_core::sandbox::Shift;
use smartbox_core::sandbox::port::{Kept, Runtime};
use smartbox_runtime::Profile;

use crate::bench::{Bench, new_id};

/// What a shell says to a line, success or not.
async fn tries(bench: &Bench, id: &SmartboxId, line: &str) -> String {
    bench.run(id, &["/bin/sh", "-c", line]).await.1
}

/// One box, every peaceful attempt: starting boxes costs, trying does not.
#[tokio::test]
async fn a_box_sees_only_itself() {
    let bench = Bench::new(Profile::Auto).await;
    let (id, other) = (bench.up().await, bench.up().await);
    std::fs::write(bench.native.home(&other).join("secret"), "hers").unwrap();
    peeks(&bench, &id, &other).await;
    reaches(&bench, &id).await;
    privileges(&bench, &id).await;
    calls(&bench, &id).await;
    bench.clean().await;
}

/// Files, processes, names of the host and of other boxes.
pub(crate) async fn peeks(bench: &Bench, id: &SmartboxId, other: &SmartboxId) {
    let root = bench.says(id, &["/bin/ls", "-A", "/"]).await;
    for name in root.lines() {
        let known = [
            "bin", "dev", "etc", "home", "init", "lib", "lib32", "lib64", "libx32", "opt", "proc",
            "run", "sbin", "tmp", "usr", "var",
        ];
        assert!(known.contains(&name), "{name} is visible");
    }
    assert_eq!(bench.says(id, &["/bin/ls", "-A", "/home"]).await.trim(), "box");
    let path = bench.native.home(other).join("secret");
    let text = tries(bench, id, &format!("cat {} /home/box/../*/secret", path.display())).await;
    assert!(!text.contains("hers"), "{text}");
    let pids = bench.says(id, &["/bin/sh", "-c", "echo /proc/[0-9]*"]).await;
    assert!(pids.split_whitespace().count() <= 3, "{pids}");
    assert_eq!(bench.says(id, &["/bin/hostname"]).await.trim(), "smartbox");
    let host = std::fs::read_to_string("/proc/cmdline").unwrap();
    let read =
        tries(bench, id, "cat /proc/cmdline /proc/kallsyms /proc/keys /proc/partitions").await;
    assert_eq!(read, "", "the host's command line is {host:?}");
    assert!(!tries(bench, id, "cat /proc/self/cgroup").await.contains(other.as_str()));
    assert!(!tries(bench, id, "cat /proc/self/cgroup").await.contains("smartbox-"));
    let environment = tries(bench, id, "env; cat /proc/1/environ").await;
    assert!(environment.contains("ermission denied"), "{environment}");
}

/// Init, its sockets and descriptors, the network.
pub(crate) async fn reaches(bench: &Bench, id: &SmartboxId) {
    for line in [
        "ls /proc/1/fd/",
        "cat /proc/1/mem",
        "cat /proc/1/maps",
        "readlink /proc/1/exe",
        "cat /init",
        "cat < /proc/1/fd/4",
        "ls /proc/1/root/",
        "ls /proc/1/cwd/",
    ] {
        let text = tries(bench, id, line).await;
        assert!(text.contains("ermission denied") || text.is_empty(), "{line}: {text}");
    }
    // Init shrugs: the next command would not run otherwise.
    tries(bench, id, "kill -KILL 1; kill -TERM 1; kill -STOP 1; kill -INT 1").await;
    let own = tries(bench, id, "ls -l /proc/self/fd").await;
    assert!(!own.contains("socket:") && !own.contains("log"), "inherited: {own}");
    let sockets = bench.says(id, &["/bin/cat", "/proc/net/unix"]).await;
    assert!(!sockets.contains('@') && !sockets.contains("dbus"), "{sockets}");
    let links = bench.says(id, &["/bin/sh", "-c", "tail -n +3 /proc/net/dev"]).await;
    assert_eq!(links.lines().count(), 1, "{links}");
    assert!(links.trim_start().starts_with("lo:"), "{links}");
    // A listener on the host's loopback is not the box's.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let (exit, text) = bench.run(id, &["/opt/engine/probe", "visit", &port, "x"]).await;
    assert_ne!(exit.code, Some(0), "{text}");
}

/// What a process may become or change.
pub(crate) async fn privileges(bench: &Bench, id: &SmartboxId) {
    let status = bench.says(id, &["/bin/cat", "/proc/self/status"]).await;
    let value = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.trim().to_owned()
    };
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(value(set), "0000000000000000", "{set}");
    }
    assert_eq!((value("NoNewPrivs:").as_str(), value("Seccomp:").as_str()), ("1", "2"));
    assert_eq!(
        bench.says(id, &["/bin/cat", "/proc/self/uid_map"]).await.split_whitespace().last(),
        Some("1")
    );
    for line in [
        "echo x > /etc/passwd",
        "echo x > /usr/x",
        "touch /x",
        "touch /opt/engine/x",
        "touch /dev/x",
        "echo 1 > /proc/sys/vm/drop_caches",
        "echo 1 > /proc/sys/kernel/core_pattern",
        "echo b > /proc/sysrq-trigger && false",
        "mount -t tmpfs x /tmp",
        "mount -o remount,rw /",
        "umount /proc/sys",
        "unshare -U true",
        "unshare -r true",
        "chroot / true",
        "mknod /tmp/disk b 254 0",
        "nsenter -t 1 -m true",
        "hostname x",
        "su -c true",
        "ip link set lo down",
        "ulimit -S -f unlimited",
    ] {
        let (exit, text) = bench.run(id, &["/bin/sh", "-c", line]).await;
        assert_ne!(exit.code, Some(0), "{line} worked: {text}");
    }
}

/// System calls that no shell offers.
pub(crate) async fn calls(bench: &Bench, id: &SmartboxId) {
    let said = bench.says(id, &["/opt/engine/probe", "calls"]).await;
    assert_eq!(said.lines().count(), 6, "{said}");
    for line in said.lines() {
        assert!(line.ends_with(" refused"), "{line}");
    }
}

/// Links that a box leaves in its home lead the platform nowhere.
#[tokio::test]
async fn links_in_a_home_lead_nowhere() {
    let bench = Bench::new(Profile::Auto).await;
    let id = bench.up().await;
    let outside = bench.config.data_dir.join("outside");
    std::fs::write(&outside, "the platform's").unwrap();
    let line = format!(
        "ln -s {0} /home/box/file; ln -s {1} /home/box/dir; ln -s / /home/box/root; \
         ln -s /etc/passwd /home/box/engine.log",
        outside.display(),
        bench.config.data_dir.display()
    );
    tries(&bench, &id, &line).await;
    let link = crate::bench::link(&bench.native, &id, 1).await;
    for path in ["file", "dir/outside", "root/etc/passwd", "../log/engine.log", "/etc/passwd"] {
        let read = link.read(path).await;
        assert!(!matches!(read, Ok(Some(_))), "{path}: {read:?}");
        let written = link.write(path, 0o600, "x".into()).await;
        assert!(path == "file" || written.is_err(), "{path} was written");
    }
    bench.native.shift(id.clone(), Shift::Remove).await.unwrap();
    bench.native.start(bench.spec(&id, 2)).await.unwrap();
    bench.native.shift(id.clone(), Shift::Remove).await.unwrap();
    bench.native.kept(id, Kept::Forget).await.unwrap();
    assert_eq!(std::fs::read_to_string(outside).unwrap(), "the platform's");
    bench.clean().await;
}

/// Somebody else's answer on the pass socket: whatever it passes is checked.
#[tokio::test]
async fn only_tcp_sockets_are_taken_from_init() {
    use std::io::{IoSlice, Read};
    use std::mem::MaybeUninit;
    use std::os::fd::AsFd;
    let bench = Bench::new(Profile::Auto).await;
    let id = new_id();
    let run = bench.config.data_dir.join("boxes").join(id.as_str()).join("run");
    std::fs::create_dir_all(&run).unwrap();
    let liar = std::os::unix::net::UnixListener::bind(run.join("pass.sock")).unwrap();
    let thread = std::thread::spawn(move || {
        for _ in 0..2 {
            let (mut stream, _) = liar.accept().unwrap();
            stream.read_exact(&mut [0; smartbox_link::pass::LEN]).unwrap();
            let file = std::fs::File::open("/etc/hostname").unwrap();
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = rustix::net::SendAncillaryBuffer::new(&mut space);
            let fds = [file.as_fd()];
            control.push(rustix::net::SendAncillaryMessage::ScmRights(&fds));
            rustix::net::sendmsg(
                &stream,
                &[IoSlice::new(&[smartbox_link::pass::OK])],
                &mut control,
                rustix::net::SendFlags::empty(),
            )
            .unwrap();
        }
    });
    let dialled = bench
        .native
        .dial(id.clone(), smartbox_core::sandbox::port::Target::Port(80))
        .await
        .map(drop)
        .unwrap_err();
    assert!(format!("{dialled:?}").contains("not a socket"), "{dialled:?}");
    let listens = bench.native.incoming(id, 7001).await.map(drop).unwrap_err();
    assert!(format!("{listens:?}").contains("not a socket"), "{listens:?}");
    thread.join().unwrap();
    bench.clean().await;
}
