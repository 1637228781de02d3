//! The walls of a box, from inside: what it cannot see, reach, become or use up.
//!
//! Everything goes the way a hostile owner would go: through `smartbox exec`, on a real sandbox. The
//! engine is puppet, for the walls are the same and the boot is quick. Deeds that need system calls are
//! perl's, which every Debian has.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::platform::{Platform, pids};

const SOON: Duration = Duration::from_secs(60);
/// Enough for a hog of any machine to have met its limit.
const HUNGER: Duration = Duration::from_secs(120);
const MIB: u64 = 1 << 20;
/// The tier of the boxes here, and what it allows.
const TIER: &str = "[boxes]\ntier = \"small\"\npatience = 3\nboots = 2\n[tiers.small]\ncpu = 1.0\nmemory = \"256MiB\"\npids = 64\ndisk = \"64MiB\"\n";
const DISK: u64 = 64 * MIB;

const EPERM: &str = "1";
const ENOSYS: &str = "38";

/// A platform on puppet with the boxes `pa` and `other`, both running.
fn two_boxes() -> Platform {
    let puppet = PathBuf::from(env!("CARGO_BIN_EXE_smartbox")).with_file_name("smartbox-puppet");
    assert!(puppet.exists(), "build the whole workspace first: {} is missing", puppet.display());
    let config = format!("[engine]\nname = \"puppet\"\npath = {puppet:?}\n{TIER}");
    let platform = Platform::start(&config, &[]);
    platform.ok(["new", "other"]);
    for name in ["pa", "other"] {
        platform.ok(["start", name]);
        platform.wait_for(name, "running", SOON);
    }
    platform
}

/// Runs a command in a box.
fn inside(platform: &Platform, name: &str, argv: &[&str]) -> Output {
    let mut args = vec!["exec", name, "--"];
    args.extend(argv);
    platform.run(args)
}

/// What a command in a box printed; it must succeed.
fn said(platform: &Platform, name: &str, argv: &[&str]) -> String {
    let output = inside(platform, name, argv);
    assert!(output.status.success(), "{argv:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a perl program in a box printed.
fn perl(platform: &Platform, name: &str, program: &str, args: &[&str]) -> String {
    let mut argv = vec!["exec", name, "--", "perl", "-"];
    argv.extend(args);
    let output = platform.feed(&argv, program);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn answers(platform: &Platform, name: &str) {
    let answer = platform.ok(["chat", name, "What did I say before?"]);
    assert!(!answer.trim().is_empty());
}

#[test]
fn a_box_sees_and_reaches_nothing_but_itself() {
    let platform = two_boxes();
    files_of_others_are_not_there(&platform);
    processes_of_others_are_not_there(&platform);
    sockets_of_the_host_are_out_of_reach(&platform);
    there_is_no_network(&platform);
    nothing_forbidden_is_possible(&platform);
    every_process_is_confined(&platform);
    init_cannot_be_stopped_or_posed_as(&platform);
    setuid_programs_gain_nothing(&platform);
    answers(&platform, "pa");
    answers(&platform, "other");
}

fn files_of_others_are_not_there(platform: &Platform) {
    let mark = format!("mark-{}", std::process::id());
    let beside = tempfile::tempdir().unwrap();
    let other = platform.home("other").join(&mark);
    for place in [beside.path().join(&mark), platform.path(&mark), other.clone()] {
        std::fs::write(place, "not yours").unwrap();
    }
    said(platform, "pa", &["sh", "-c", &format!("mkdir -p .deep && echo mine > .deep/{mark}")]);
    let found = inside(platform, "pa", &["find", "/", "-name", &mark]);
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    assert_eq!(found.trim(), format!("/home/box/.deep/{mark}"), "only its own is found");
    let data = platform.data.path().to_str().unwrap().to_owned();
    for path in [&data, "/root", "/etc/shadow", "/sys", "/boot", "/mnt", other.to_str().unwrap()] {
        let output = inside(platform, "pa", &["ls", path]);
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(err.contains("No such file or directory"), "{path}: {output:?}");
    }
    let homes = said(platform, "pa", &["ls", "-A", "/home", "/run", "/tmp", "/var"]);
    assert_eq!(
        homes.split_whitespace().collect::<Vec<_>>(),
        ["/home:", "box", "/run:", "/tmp:", "/var:", "run", "tmp"]
    );
    let users = said(platform, "pa", &["cat", "/etc/passwd"]);
    assert_eq!(users.lines().count(), 3, "not the host's users: {users}");
}

fn processes_of_others_are_not_there(platform: &Platform) {
    let mark = format!("e2e-{}-process", std::process::id());
    let program = "$0 = shift; print \"up\\n\"; $| = 1; print ''; <STDIN>";
    let mut theirs = platform
        .command(["exec", "-i", "other", "--", "perl", "-e", program, &mark])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut up = [0; 3];
    theirs.stdout.as_mut().unwrap().read_exact(&mut up).unwrap();
    let named = |pid: &u32| {
        std::fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).starts_with(&mark))
    };
    assert!(pids().iter().any(named), "the host sees it");
    let script = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; echo; ls -d /proc/[0-9]* | wc -l";
    let seen = said(platform, "pa", &["sh", "-c", script]);
    assert!(!seen.contains(&mark) && !seen.contains("--listen"), "{seen}");
    let count: usize = seen.lines().last().unwrap().trim().parse().unwrap();
    assert!(count < 10, "init, the engine and this command: {seen}");
    theirs.stdin.take().unwrap().write_all(b"\n").unwrap();
    theirs.wait().unwrap();
}

/// Connects to Unix sockets (`@` is abstract); prints `ok` or the error a line.
const UNIX: &str = r#"use Socket; for my $name (@ARGV) { $name =~ s/^@/\0/; $! = 0;
socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die $!; my $to = pack('S a*', AF_UNIX, $name);
print connect($s, $to) ? "ok" : "no: $!", "\n" }"#;

fn sockets_of_the_host_are_out_of_reach(platform: &Platform) {
    let control = platform.path("control.sock");
    assert!(UnixStream::connect(&control).is_ok(), "it listens");
    let beside = tempfile::tempdir().unwrap();
    let open = beside.path().join("open.sock");
    let _open = UnixListener::bind(&open).unwrap();
    std::fs::set_permissions(beside.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
    let name = format!("smartbox-e2e-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _abstract = UnixListener::bind_addr(&address).unwrap();
    assert!(UnixStream::connect_addr(&address).is_ok(), "it listens");
    let link = platform.path("boxes").join(platform.id("pa")).join("run/link.sock");
    let pass = link.with_file_name("pass.sock");
    assert!(link.exists() && pass.exists());
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let names = [text(&control), text(&open), format!("@{name}"), text(&link), text(&pass)];
    let args: Vec<&str> = names.iter().map(String::as_str).collect();
    let tried = perl(platform, "pa", UNIX, &args);
    assert_eq!(tried.lines().count(), names.len(), "{tried}");
    assert!(tried.lines().all(|line| line.starts_with("no: ")), "{tried}");
    let found = inside(platform, "pa", &["find", "/", "-type", "s", "-not", "-path", "/proc/*"]);
    assert_eq!(String::from_utf8_lossy(&found.stdout), "", "no socket is visible");
}

/// Connects to `address port` pairs; prints `ok` or the error a line.
const TCP: &str = r#"use Socket qw(:all); while (@ARGV) { my ($host, $port) = splice @ARGV, 0, 2; $! = 0;
my $six = $host =~ /:/; my $ip = inet_pton($six ? AF_INET6 : AF_INET, $host) or die;
socket(my $s, $six ? AF_INET6 : AF_INET, SOCK_STREAM, 0) or die $!; $SIG{ALRM} = sub { die 'time' }; alarm 20;
print connect($s, $six ? pack_sockaddr_in6($port, $ip) : pack_sockaddr_in($port, $ip)) ? "ok" : "no: $!", "\n" }"#;

fn there_is_no_network(platform: &Platform) {
    let devices = said(platform, "pa", &["cat", "/proc/net/dev"]);
    let names: Vec<&str> = devices.lines().skip(2).filter_map(|l| l.split(':').next()).collect();
    assert_eq!(names.iter().map(|n| n.trim()).collect::<Vec<_>>(), ["lo"]);
    assert_eq!(said(platform, "pa", &["cat", "/proc/net/route"]).lines().count(), 1, "no route");
    let port = platform.port.to_string();
    let everywhere = TcpListener::bind("0.0.0.0:0").unwrap();
    let open = everywhere.local_addr().unwrap().port().to_string();
    let mut pairs = vec![
        ("127.0.0.1", port.as_str()),
        ("::1", port.as_str()),
        ("127.0.0.1", open.as_str()),
        ("1.1.1.1", "443"),
        ("169.254.169.254", "80"),
        ("10.0.0.1", "80"),
        ("2606:4700:4700::1111", "443"),
    ];
    let own = host_address();
    if let Some(own) = &own {
        pairs.extend([(own.as_str(), port.as_str()), (own.as_str(), open.as_str())]);
    }
    let args: Vec<&str> = pairs.iter().flat_map(|(host, port)| [*host, *port]).collect();
    let tried = perl(platform, "pa", TCP, &args);
    assert_eq!(tried.lines().count(), pairs.len(), "{tried}");
    for (line, pair) in tried.lines().zip(&pairs) {
        assert!(line.contains("refused") || line.contains("unreachable"), "{pair:?}: {line}");
    }
    assert_eq!(perl(platform, "pa", TCP, &["127.0.0.1", &engine_port(platform)]).trim(), "ok");
}

/// The address that this host has towards others, if it has one.
fn host_address() -> Option<String> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip().to_string())
}

/// A port of the box's own that something listens on.
fn engine_port(platform: &Platform) -> String {
    let log = platform.ok(["logs", "pa"]);
    log.rsplit("listening on 127.0.0.1:").next().unwrap().lines().next().unwrap().to_owned()
}

/// Every call that `escape.pl` makes.
const CALLS: &[(&str, libc::c_long)] = &[
    ("add_key", libc::SYS_add_key),
    ("bpf", libc::SYS_bpf),
    ("capset", libc::SYS_capset),
    ("chroot", libc::SYS_chroot),
    ("clone", libc::SYS_clone),
    ("clone3", libc::SYS_clone3),
    ("delete_module", libc::SYS_delete_module),
    ("finit_module", libc::SYS_finit_module),
    ("fsopen", libc::SYS_fsopen),
    ("init_module", libc::SYS_init_module),
    ("io_uring_setup", libc::SYS_io_uring_setup),
    ("kcmp", libc::SYS_kcmp),
    ("kexec_load", libc::SYS_kexec_load),
    ("keyctl", libc::SYS_keyctl),
    ("mknodat", libc::SYS_mknodat),
    ("mount", libc::SYS_mount),
    ("move_mount", libc::SYS_move_mount),
    ("name_to_handle_at", libc::SYS_name_to_handle_at),
    ("open_by_handle_at", libc::SYS_open_by_handle_at),
    ("open_tree", libc::SYS_open_tree),
    ("perf_event_open", libc::SYS_perf_event_open),
    ("personality", libc::SYS_personality),
    ("pidfd_getfd", libc::SYS_pidfd_getfd),
    ("pivot_root", libc::SYS_pivot_root),
    ("prlimit64", libc::SYS_prlimit64),
    ("process_vm_readv", libc::SYS_process_vm_readv),
    ("process_vm_writev", libc::SYS_process_vm_writev),
    ("ptrace", libc::SYS_ptrace),
    ("quotactl", libc::SYS_quotactl),
    ("reboot", libc::SYS_reboot),
    ("request_key", libc::SYS_request_key),
    ("setgroups", libc::SYS_setgroups),
    ("sethostname", libc::SYS_sethostname),
    ("setns", libc::SYS_setns),
    ("setresgid", libc::SYS_setresgid),
    ("setresuid", libc::SYS_setresuid),
    ("settimeofday", libc::SYS_settimeofday),
    ("socket", libc::SYS_socket),
    ("swapon", libc::SYS_swapon),
    ("syslog", libc::SYS_syslog),
    ("umount2", libc::SYS_umount2),
    ("unshare", libc::SYS_unshare),
    ("userfaultfd", libc::SYS_userfaultfd),
];

fn nothing_forbidden_is_possible(platform: &Platform) {
    let numbers: Vec<String> = CALLS.iter().map(|(name, nr)| format!("{name}={nr}")).collect();
    let args: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let told = perl(platform, "pa", include_str!("escape.pl"), &args);
    let deeds: BTreeMap<&str, &str> = told.lines().filter_map(|l| l.split_once(' ')).collect();
    assert!(deeds.len() > 80, "all were tried: {told}");
    for (deed, error) in deeds {
        assert_ne!(error, "ok", "{deed} is possible from inside");
        let call = deed.split(':').next().unwrap();
        // Where there is no root to become, the kernel says so in its own way.
        if CALLS.iter().any(|(name, _)| *name == call) && !call.starts_with("setres") {
            let expected = if call == "clone3" { ENOSYS } else { EPERM };
            assert_eq!(error, expected, "{deed}");
        }
    }
}

/// Everything that runs for the box, judged by the kernel's own words.
fn every_process_is_confined(platform: &Platform) {
    let id = platform.id("pa");
    let mut asking = platform
        .command(["exec", "-i", "pa", "--", "sh", "-c", "echo up; read line"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    asking.stdout.as_mut().unwrap().read_exact(&mut [0; 3]).unwrap();
    let all = platform.box_pids(&id);
    assert!(all.len() >= 3, "init, the engine and this command: {all:?}");
    for pid in all {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        for line in ["NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000"] {
            assert!(status.contains(line), "{line}: {status}");
        }
        for line in ["CapInh", "CapPrm", "CapBnd", "CapAmb"] {
            assert!(status.contains(&format!("{line}:\t0000000000000000")), "{line}: {status}");
        }
        let uids = status.lines().find(|l| l.starts_with("Uid:")).unwrap().to_owned();
        assert!(!uids.split_whitespace().any(|uid| uid == "0"), "not root: {uids}");
        for kind in ["mnt", "pid", "net", "ipc", "uts", "user", "cgroup"] {
            let of = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap();
            assert_ne!(of(&pid.to_string()), of("self"), "{kind}: the host's own");
        }
    }
    asking.stdin.take().unwrap().write_all(b"\n").unwrap();
    asking.wait().unwrap();
}

/// Sends init every signal, from its own processor and while it has to wait, so that several are pending
/// at once; then fills the queue of pending signals, so that the kernel loses who sent
/// the next one, and asks init to end.
const SIGNALS: &str = r#"use POSIX; my ($queue, $send, $pin, $class) = @ARGV;
my ($one, $none) = (pack('Q', 1), pack('i', 0)); syscall(0 + $pin, 0 + $_, 8, $one) for (0, 1);
syscall(0 + $class, 1, 5, $none);
kill 7, 1; kill 11, 1; for (1 .. 64) { kill $_, 1 }
select undef, undef, undef, 0.1; syscall(0 + $class, 1, 0, $none);
my $all = POSIX::SigSet->new; $all->fillset; sigprocmask(SIG_BLOCK, $all);
my $me = 0 + $$; my $info = pack('i6 x104', 40, 0, -1, 0, 0, 0);
my $n = 0; $n++ while $n < 2_000_000 && syscall(0 + $queue, $me, 40, $info) == 0;
print "queued $n\n"; syscall(0 + $send, 1, 1, 15); syscall(0 + $send, 1, 1, 2); print "sent\n"; "#;

fn init_cannot_be_stopped_or_posed_as(platform: &Platform) {
    let id = platform.id("pa");
    let init = || -> Vec<u32> {
        let all = platform.box_pids("/init");
        all.into_iter().filter(|pid| crate::platform::cgroup(*pid).contains(&id)).collect()
    };
    let before = init();
    assert_eq!(before.len(), 1);
    let numbers = [
        libc::SYS_rt_sigqueueinfo,
        libc::SYS_tgkill,
        libc::SYS_sched_setaffinity,
        libc::SYS_sched_setscheduler,
    ];
    let numbers = numbers.map(|number| number.to_string());
    let told = perl(platform, "pa", SIGNALS, &numbers.each_ref().map(String::as_str));
    assert!(told.ends_with("sent\n"), "{told}");
    said(platform, "pa", &["true"]);
    assert_eq!(init(), before, "the same init goes on");
    for task in std::fs::read_dir(format!("/proc/{}/task", before[0])).unwrap().flatten() {
        let status = std::fs::read_to_string(task.path().join("status")).unwrap();
        assert!(!status.contains("State:\tT"), "{status}");
        let mask = |name: &str| {
            let line = status.lines().find_map(|l| l.strip_prefix(name)).unwrap();
            u64::from_str_radix(line.trim(), 16).unwrap()
        };
        // The kernel shields a PID 1 from signals of its own box only where it has no handler. Two are
        // the C library's, which looks who sends them.
        let library = 0b11 << 31;
        let reached = mask("SigCgt:") & !mask("SigBlk:") & !library;
        assert_eq!(reached, 0, "a handler can be reached: {status}");
    }
    // Nothing of what init holds is open in a process that the box can look into.
    let fds = inside(platform, "pa", &["sh", "-c", "ls -l /proc/[0-9]*/fd/ 2>/dev/null"]);
    let fds = String::from_utf8_lossy(&fds.stdout).into_owned();
    for word in ["cgroup", "/log/", "exits", "memfd", "engine.log"] {
        assert!(!fds.contains(word), "{word} is held open: {fds}");
    }
    // Nor can init's loopback ports be taken over or shared.
    let take = r#"use Socket qw(:all); open my $t, '<', '/proc/net/tcp' or die; my $n = 0;
    while (<$t>) { my ($port) = /0100007F:(\w{4}) 00000000:0000 0A/ or next; $n++;
      for my $ip (INADDR_LOOPBACK, INADDR_ANY) { socket(my $s, AF_INET, SOCK_STREAM, 0) or die;
        setsockopt($s, SOL_SOCKET, $_, pack('i', 1)) for (SO_REUSEADDR, SO_REUSEPORT);
        print "taken\n" if bind($s, pack_sockaddr_in(hex $port, $ip)) && listen($s, 1) } } print "tried $n\n""#;
    assert_eq!(
        perl(platform, "pa", take, &[]),
        "tried 4\n",
        "those of models, of the proxy, of names and the engine's"
    );
    // Killing all that it may kill costs a box its own engine and nothing else.
    inside(platform, "pa", &["sh", "-c", "kill -9 -1"]);
    answers(platform, "pa");
    assert_eq!(init(), before);
}

fn setuid_programs_gain_nothing(platform: &Platform) {
    // Root's own program with the bit, in the box's home: what a slip of the host's owner would leave.
    let planted = platform.home("pa").join("planted");
    std::fs::copy("/usr/bin/id", &planted).unwrap();
    std::fs::set_permissions(&planted, std::fs::Permissions::from_mode(0o4755)).unwrap();
    let meta = std::fs::metadata(&planted).unwrap();
    assert!(meta.uid() == 0 && meta.mode() & 0o4000 != 0);
    assert_eq!(said(platform, "pa", &["./planted", "-u"]).trim(), "1000");
    for argv in [&["mount", "-t", "tmpfs", "none", "/tmp"][..], &["su", "-c", "true"]] {
        assert!(!inside(platform, "pa", argv).status.success(), "{argv:?}");
    }
    std::fs::remove_file(planted).unwrap();
}

#[test]
fn links_in_a_home_lead_the_platform_nowhere() {
    let platform = two_boxes();
    let outside = tempfile::tempdir().unwrap();
    std::fs::set_permissions(outside.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let precious = outside.path().join("precious.json");
    std::fs::write(&precious, "{\"canary\": \"of the host\"}").unwrap();
    std::fs::set_permissions(&precious, std::fs::Permissions::from_mode(0o666)).unwrap();
    let guarded: Vec<PathBuf> = [
        precious.clone(),
        outside.path().to_owned(),
        "/etc/passwd".into(),
        "/etc/shadow".into(),
        platform.path("smartbox.toml"),
        platform.path("keys/master.key"),
        platform.home("other"),
        platform.home("other").join(".openclaw/openclaw.json"),
    ]
    .into();
    let fingerprint = || -> Vec<_> {
        let print = |path: &PathBuf| {
            let meta = std::fs::symlink_metadata(path).unwrap();
            let names = std::fs::read_dir(path).map(|dir| dir.count()).unwrap_or_default();
            let bytes = std::fs::read(path).unwrap_or_default();
            (path.clone(), meta.uid(), meta.gid(), meta.mode(), names, bytes)
        };
        guarded.iter().map(print).collect()
    };
    let before = fingerprint();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let targets = [
        text(&precious),
        "/etc/passwd".into(),
        text(&platform.path("smartbox.toml")),
        text(&platform.home("other").join(".openclaw/openclaw.json")),
        "../../../../../../etc/shadow".into(),
        "/proc/1/mem".into(),
        "/dev/zero".into(),
    ];
    let plant = |at: &str, target: &str| vec![at.to_owned(), target.to_owned()];
    let mut traps: Vec<Vec<String>> =
        targets.iter().map(|to| plant(".openclaw/openclaw.json", to)).collect();
    for directory in [text(outside.path()), text(&platform.home("other")), "/etc".into()] {
        traps.push(plant(".openclaw", &directory));
        traps.push(plant(".smartbox", &directory));
        traps.push(plant(".openclaw/logs", &directory));
    }
    for trap in traps {
        springs(&platform, &trap[0], |at| symlink(&trap[1], at).unwrap());
        assert_eq!(fingerprint(), before, "{trap:?} changed something outside");
    }
    // Not a link, and made to be waited on for ever.
    springs(&platform, ".openclaw/openclaw.json", |at| {
        assert!(Command::new("mkfifo").arg(at).status().unwrap().success());
    });
    springs(&platform, ".openclaw/openclaw.json", |at| {
        std::fs::File::create(at).unwrap().set_len(32 * MIB).unwrap();
    });
    assert_eq!(fingerprint(), before);
    answers(&platform, "pa");
    answers(&platform, "other");
}

/// Plants a trap in the home of `pa`, restarts it, and takes the trap away again. The box must run, or
/// fail with a reason; it must not hang, and tell nothing of what the trap leads to.
fn springs(platform: &Platform, at: &str, plant: impl Fn(&Path)) {
    let home = platform.home("pa");
    let place = home.join(at);
    let aside = home.join("aside");
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    let was = std::fs::rename(&place, &aside).is_ok();
    plant(&place);
    let owner = std::fs::metadata(&home).unwrap();
    let _ = std::os::unix::fs::lchown(&place, Some(owner.uid()), Some(owner.gid()));
    let began = Instant::now();
    let output = platform.run(["restart", "pa"]);
    assert!(began.elapsed() < SOON, "{at}: it hung");
    let told = format!(
        "{}{}{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        platform.ok(["status", "pa", "--json"]),
        platform.ok(["logs", "pa"]),
    );
    assert!(!told.contains("of the host") && !told.contains("root:"), "{at}: {told}");
    if output.status.success() {
        platform.wait_for("pa", "running", SOON);
    } else {
        assert!(told.contains("error: ") && told.contains("hint: "), "{at}: {told}");
    }
    remove(&place);
    if was {
        std::fs::rename(&aside, &place).unwrap();
    }
    // It may have failed so often meanwhile that it is left alone.
    platform.ok(["reset", "pa"]);
    platform.ok(["restart", "pa"]);
    platform.wait_for("pa", "running", SOON);
}

fn remove(place: &Path) {
    match std::fs::remove_file(place) {
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(_) => std::fs::remove_dir_all(place).unwrap(),
        Ok(()) => {}
    }
}

/// Runs a hog in `other`; `pa` must answer before it has ended, however often it is asked.
fn while_hungry(platform: &Platform, script: &str, timeout: &str) -> Output {
    let hog = platform
        .command(["exec", "other", "--timeout", timeout, "--", "perl", "-e", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..3 {
        let began = Instant::now();
        answers(platform, "pa");
        assert!(began.elapsed() < SOON, "the neighbour starves");
    }
    let output = hog.wait_with_output().unwrap();
    said(platform, "other", &["echo", "usable"]);
    answers(platform, "other");
    output
}

#[test]
fn a_hog_meets_its_own_limits_and_its_neighbour_does_not() {
    let platform = two_boxes();
    let id = platform.id("other");
    // A fork bomb that leaves its session, so that only its cgroup can find it.
    let bomb = "use POSIX; while (1) { my $p = fork; if (!$p) { setsid() } select undef, undef, undef, 0.001 }";
    let output = while_hungry(&platform, bomb, "5s");
    assert_eq!(output.status.code(), Some(124), "{output:?}");
    assert!(platform.box_pids(&id).len() < 10, "nothing of it is left");
    // How far it got: not one process past the tier.
    let count =
        "my $n = 0; while (defined(my $p = fork)) { $p or do { sleep 60; exit }; $n++ } print $n";
    let output = while_hungry(&platform, count, "30s");
    let forked: u32 = String::from_utf8_lossy(&output.stdout).parse().unwrap();
    assert!((32..64).contains(&forked), "{forked} children");

    let memory = "my @a; push @a, 'x' x (1 << 20) for 1 .. 4096; print 'all of it'";
    let output = while_hungry(&platform, memory, "60s");
    assert_eq!(output.status.code(), Some(137), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("out of memory"), "{output:?}");
    // Files in memory are memory, and go on after their writer.
    let scratch = "for my $d ('/tmp', '/dev/shm', '/run') { for my $n (1 .. 100) { open my $f, '>', \"$d/$n\" or last; \
        syswrite($f, 'x' x (1 << 20)) or last for 1 .. 16 } }";
    while_hungry(&platform, scratch, "60s");
    platform.ok(["restart", "other"]);
    platform.wait_for("other", "running", SOON);
    answers(&platform, "other");
    fills_its_disk(&platform);
}

fn fills_its_disk(platform: &Platform) {
    let home = platform.home("other");
    let fill = "$SIG{XFSZ} = 'IGNORE'; my $n = 0; my $b = 'x' x (1 << 20); OUT: for my $f (1 .. 4096) { \
        open my $o, '>', \"fill$f\" or last; for (1 .. 4) { defined syswrite($o, $b) or last OUT; $n++ } } print \"$n $!\"";
    let output = while_hungry(platform, fill, "120s");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!told.starts_with("16384 "), "it was never stopped");
    let used = size(&home);
    assert!(used >= DISK / 2, "{used}: it was stopped for another reason: {output:?}");
    // What a writer gets past its limit in one look; see the runtime's own words on it.
    assert!(used < 24 * DISK, "{used} bytes in a home of {DISK}");
    let more = inside(platform, "other", &["sh", "-c", "head -c 1000000 /dev/zero > more"]);
    assert!(!more.status.success() || size(&home) <= used + 2 * MIB, "{more:?}");
    said(platform, "other", &["sh", "-c", "rm -f fill* more"]);
    let end = Instant::now() + HUNGER;
    while !inside(platform, "other", &["sh", "-c", "head -c 1000000 /dev/zero > again"])
        .status
        .success()
    {
        assert!(Instant::now() < end, "a home with room again may be written again");
        std::thread::park_timeout(Duration::from_millis(200));
    }
    answers(platform, "other");
}

/// Bytes that the files of a directory hold.
fn size(dir: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => meta.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}
