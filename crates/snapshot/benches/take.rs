//! What a snapshot takes: the first, one of an unchanged home, one of which a hundredth changed, each with
//! a box that is held still by a wish. Prints milliseconds, megabytes and the memory at its highest.
//!
//! `cargo bench -p smartbox-snapshot --bench take [-- <files> <bytes each>]`

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use smartbox_core::BoxFuture;
use smartbox_core::home::place::HomePlace;
use smartbox_core::snapshot::port::{Cause, Moment, Still, TakeOrder, Takes};
use smartbox_core::snapshot::{Claim, Generation, RepositoryKey, RepositoryOf};
use smartbox_core::time::Timestamp;
use smartbox_snapshot::{READER_ARG, Restic};

type Failed = Box<dyn std::error::Error>;

/// Notes how much memory the reader has had, while it would be held.
#[derive(Default)]
struct Obedient(AtomicU64);

impl Still for Obedient {
    fn hold(&self) -> BoxFuture<'_, Result<(), Cause>> {
        Box::pin(async { Ok(()) })
    }
    fn release(&self) -> BoxFuture<'_, Result<(), Cause>> {
        let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            for child in children.split_whitespace() {
                self.0.fetch_max(memory(child), Ordering::SeqCst);
            }
        }
        Box::pin(async { Ok(()) })
    }
}

fn fill(path: &Path, seed: u64, length: usize) -> Result<(), Failed> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    Ok(fs::write(path, bytes)?)
}

fn at(home: &Path, n: u64) -> std::path::PathBuf {
    home.join(format!("d{}/e{}", n / 1000, n / 100 % 10)).join(format!("f{n}"))
}

/// The most memory that a process ever had, in mebibytes.
fn memory(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn main() -> Result<(), Failed> {
    let words: Vec<u64> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let (files, length) = match words.as_slice() {
        [files, length, ..] => (*files, usize::try_from(*length)?),
        _ => (5000, 100_000),
    };
    let dir = tempfile::tempdir()?;
    let home = dir.path().join("home");
    for n in 0..files {
        let path = at(&home, n);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fill(&path, n + 1, length)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    runtime.block_on(take_all(dir.path(), &home, files, length))
}

async fn take_all(dir: &Path, home: &Path, files: u64, length: usize) -> Result<(), Failed> {
    let reader = vec![env!("CARGO_BIN_EXE_smartbox-reader").into(), READER_ARG.into()];
    let driver = Restic::directory(&dir.join("storage"))?.with_reader(reader);
    let key = RepositoryKey::new([7; 64]);
    let of = RepositoryOf { smartbox: "box_0123456789abcdefghjk".parse()?, key };
    driver.create(of.clone()).await?;
    let place = HomePlace {
        root: dir.to_owned(),
        home: home.to_owned(),
        scratch: dir.join("scratch"),
        user: None,
    };
    for (number, what) in [(1, "first"), (2, "unchanged"), (3, "one in a hundred changed")] {
        if number == 3 {
            for n in (0..files).step_by(100) {
                fill(&at(home, n), n + 1_000_000_007, length)?;
            }
        }
        let still = Arc::new(Obedient::default());
        let claim = Claim { generation: Generation(number), fence: 1, at: Timestamp(0) };
        let order = TakeOrder {
            home: place.clone(),
            moment: Moment::Held(still.clone()),
            exclude: Vec::new(),
            claim,
            at: Timestamp(i64::try_from(number)? * 1000),
            meter: None,
        };
        let since = Instant::now();
        let taken = driver.take(of.clone(), order).await?;
        let took = since.elapsed().as_millis();
        let (held, added) = (taken.held.as_millis(), taken.added / 1_000_000);
        let since = Instant::now();
        let changed = driver.changed(place.clone(), Vec::new(), taken.snapshot.id).await?;
        let look = since.elapsed().as_millis();
        let (own, readers) = (memory("self"), still.0.load(Ordering::SeqCst));
        println!(
            "{what}: {took} ms, held {held} ms, added {added} MB; looked in {look} ms (changed: \
             {changed}); memory {own} MiB, a reader's {readers} MiB"
        );
    }
    Ok(())
}
