//! Snapshots beside the restic program and beside `tar | zstd`, in one run on one home: the first one, an
//! unchanged home, a hundredth of it changed, a restore. Each step is a process of its own, whose time
//! and largest memory are measured. `cargo bench -p smartbox-snapshot --bench beside [-- MEGABYTES]`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::zombie_processes,
    reason = "a program that measures and tells, and waits for its children by the kernel's own call"
)]

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use smartbox_core::home::place::HomePlace;
use smartbox_core::snapshot::port::{Moment, Shelves, TakeOrder, Takes};
use smartbox_core::snapshot::{Claim, Generation, RepositoryKey, RepositoryOf, Shelf};
use smartbox_core::time::Timestamp;
use smartbox_snapshot::Restic;

/// Files of a home: most are small, and most of the bytes are in large ones.
const FILES: usize = 5_000;
/// Each is measured so often, and the fastest counts: the machine has other things to do, too.
const ROUNDS: usize = 3;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["take", root, number] => ours_take(Path::new(root), number.parse().unwrap()),
        ["changed", root] => ours_changed(Path::new(root)),
        ["restore", root, into] => ours_restore(Path::new(root), Path::new(into)),
        [] => compare(500),
        [megabytes] => compare(megabytes.parse().unwrap()),
        other => panic!("{other:?}"),
    }
}

fn compare(megabytes: usize) {
    println!("{megabytes} MB in {FILES} files; the fastest of {ROUNDS}; seconds (memory in MB)");
    println!("{:<22}{:>16}{:>16}{:>16}", "", "smartbox", "restic", "tar | zstd");
    let mut lines: Vec<(&str, [Vec<Measured>; 3])> =
        ["first", "unchanged", "1 % changed", "restore"]
            .map(|name| (name, Default::default()))
            .into();
    let mut looked = Vec::new();
    for _ in 0..ROUNDS {
        let dir =
            tempfile::tempdir_in(std::env::var_os("SMARTBOX_BENCH_DIR").unwrap_or("/tmp".into()))
                .unwrap();
        let root = dir.path();
        fs::create_dir(root.join("home")).unwrap();
        fill(&root.join("home"), megabytes);
        let mut of = |line: usize, which: usize, measured| lines[line].1[which].push(measured);
        restic(root, &["init"]);
        for (line, number) in [(0, 1), (1, 2), (2, 3)] {
            if line == 2 {
                change(&root.join("home"), number as u64);
            }
            of(line, 0, ours(&["take", root.to_str().unwrap(), &number.to_string()]));
            of(line, 1, restic(root, &["backup", "."]));
            of(line, 2, shell(root, "tar -C home -cf - . | zstd -q -3 -f -o packed.tar.zst"));
        }
        looked.push(ours(&["changed", root.to_str().unwrap()]));
        let by_us = root.join("by-us");
        fs::create_dir(&by_us).unwrap();
        of(3, 0, ours(&["restore", root.to_str().unwrap(), by_us.to_str().unwrap()]));
        of(3, 1, restic(root, &["restore", "latest", "--target", "../by-restic"]));
        of(3, 2, shell(root, "mkdir by-tar && zstd -q -dc packed.tar.zst | tar -C by-tar -xf -"));
        for other in ["by-us", "by-restic", "by-tar"] {
            let same = Command::new("diff").args(["-r", "home", other]).current_dir(root).status();
            assert!(same.unwrap().success(), "{other} is not what was taken");
        }
    }
    for (name, measured) in &lines {
        let best: Vec<Measured> = measured.iter().map(|all| fastest(all)).collect();
        let cell = |m: &Measured| format!("{:.2} ({})", m.took.as_secs_f64(), m.memory >> 10);
        let ratio = best[0].took.as_secs_f64() / best[1].took.as_secs_f64();
        println!(
            "{name:<22}{:>16}{:>16}{:>16}   smartbox/restic {ratio:.2}",
            cell(&best[0]),
            cell(&best[1]),
            cell(&best[2])
        );
    }
    let looked = fastest(&looked);
    println!(
        "{:<22}{:>16}",
        "has it changed?",
        format!("{:.3} ({})", looked.took.as_secs_f64(), looked.memory >> 10)
    );
}

#[derive(Clone, Copy)]
struct Measured {
    took: Duration,
    /// KiB of the largest of its processes.
    memory: u64,
}

fn fastest(all: &[Measured]) -> Measured {
    let took = all.iter().map(|m| m.took).min().unwrap();
    // Memory is the worst of all.
    Measured { took, memory: all.iter().map(|m| m.memory).max().unwrap() }
}

/// Runs it and takes its largest memory from the kernel, descendants included.
fn measure(command: &mut Command) -> Measured {
    let began = Instant::now();
    let child = command.stdout(Stdio::null()).spawn().unwrap();
    let (mut status, mut usage) = (0, unsafe_zeroed());
    let pid = i32::try_from(child.id()).unwrap();
    #[expect(unsafe_code, reason = "the kernel's count of a child's memory has no safe wrapper")]
    // SAFETY: both point to values of ours, and the child is waited for nowhere else.
    let waited = unsafe { libc::wait4(pid, &raw mut status, 0, &raw mut usage) };
    let took = began.elapsed();
    assert!(
        waited == pid && libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
        "{command:?}"
    );
    Measured { took, memory: u64::try_from(usage.ru_maxrss).unwrap() }
}

fn unsafe_zeroed() -> libc::rusage {
    #[expect(unsafe_code, reason = "the same")]
    // SAFETY: it is numbers only, for which zero is a value.
    unsafe {
        std::mem::zeroed()
    }
}

fn ours(args: &[&str]) -> Measured {
    measure(Command::new(std::env::current_exe().unwrap()).args(args))
}

fn restic(root: &Path, args: &[&str]) -> Measured {
    let mut command = Command::new("restic");
    command
        .arg0("restic")
        .args(["-q", "-r", "../restic"])
        .args(args)
        .current_dir(root.join("home"));
    command.env("RESTIC_PASSWORD", "bench").env("RESTIC_CACHE_DIR", root.join("cache"));
    measure(&mut command)
}

fn shell(root: &Path, line: &str) -> Measured {
    measure(Command::new("sh").args(["-c", line]).current_dir(root))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

fn driver(root: &Path) -> Restic {
    let reader = PathBuf::from(env!("CARGO_BIN_EXE_smartbox-reader"));
    Restic::directory(&root.join("storage")).unwrap().with_reader(vec![reader.into()])
}

fn of() -> RepositoryOf {
    let key = RepositoryKey::new(std::array::from_fn(|n| n as u8 * 3 + 7));
    RepositoryOf { smartbox: "box_0123456789abcdefghjk".parse().unwrap(), key }
}

fn place(root: &Path) -> HomePlace {
    let root = root.to_owned();
    HomePlace { home: root.join("home"), scratch: root.join("scratch"), root, user: None }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp(i64::try_from(since.as_millis()).unwrap())
}

fn ours_take(root: &Path, number: u64) {
    let driver = driver(root);
    let claim = Claim { generation: Generation(number), fence: 1, at: now() };
    let order = TakeOrder {
        home: place(root),
        moment: Moment::AtRest,
        exclude: Vec::new(),
        claim,
        at: now(),
        meter: None,
    };
    runtime().block_on(async {
        if number == 1 {
            driver.create(of()).await.unwrap();
        }
        driver.claim(of(), claim).await.unwrap();
        driver.take(of(), order).await.unwrap();
    });
}

fn newest(driver: &Restic) -> smartbox_core::snapshot::SnapshotId {
    match runtime().block_on(driver.list(of())).unwrap() {
        Shelf::Some(all) => all.last().unwrap().id.clone(),
        Shelf::NoneYet => panic!("there is none"),
    }
}

fn ours_changed(root: &Path) {
    let driver = driver(root);
    let newest = newest(&driver);
    let changed = runtime().block_on(driver.changed(place(root), Vec::new(), newest)).unwrap();
    assert!(!changed, "nothing has changed");
}

fn ours_restore(root: &Path, into: &Path) {
    let driver = driver(root);
    let newest = newest(&driver);
    runtime().block_on(driver.restore(of(), newest, into.to_owned(), None)).unwrap();
}

/// Half of it text that compresses, half of it noise, as a home with pictures and notes.
fn fill(home: &Path, megabytes: usize) {
    let (mut seed, total) = (1, megabytes << 20);
    for number in 0..FILES {
        let folder = home.join(format!("folder{}", number % 50));
        fs::create_dir_all(&folder).unwrap();
        // One in fifty is large: together they have most of the bytes.
        let len =
            if number % 50 == 0 { total * 8 / 10 / (FILES / 50) } else { total * 2 / 10 / FILES };
        let mut file = fs::File::create(folder.join(format!("file{number}"))).unwrap();
        file.write_all(&content(&mut seed, len, number % 100 < 50)).unwrap();
    }
    // Older than what counts as just written.
    let past = SystemTime::now() - Duration::from_secs(3600);
    for number in 0..FILES {
        let path = home.join(format!("folder{}/file{number}", number % 50));
        fs::File::options().write(true).open(path).unwrap().set_modified(past).unwrap();
    }
}

fn change(home: &Path, round: u64) {
    let mut seed = round * 7_919;
    for number in (0..FILES).step_by(100).map(|n| n + 1) {
        let path = home.join(format!("folder{}/file{number}", number % 50));
        let len = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
        fs::write(path, content(&mut seed, len, false)).unwrap();
    }
}

fn content(seed: &mut u64, len: usize, text: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        if text {
            let words =
                ["remember ", "the ", "meeting ", "tomorrow ", "with ", "Robin\n", "about ", "it "];
            out.extend_from_slice(words[usize::try_from(*seed % 8).unwrap()].as_bytes());
        } else {
            out.extend_from_slice(&seed.to_le_bytes());
        }
    }
    out.truncate(len);
    out
}
