//! A large upload, killed: the file is there whole or not at all, nothing else stays, and the command says
//! which.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::platform::Platform;

const PATIENCE: Duration = Duration::from_secs(120);

/// So large is the file; a gigabyte with `SMARTBOX_TEST_UPLOAD_MB=1024`.
fn size() -> u64 {
    let megabytes = std::env::var("SMARTBOX_TEST_UPLOAD_MB").ok();
    megabytes.map_or(300, |text| text.parse().unwrap()) << 20
}

#[test]
fn a_large_upload_that_is_killed_is_whole_or_not_there_and_says_which() {
    let puppet = PathBuf::from(env!("CARGO_BIN_EXE_smartbox")).with_file_name("smartbox-puppet");
    assert!(puppet.exists(), "build the whole workspace first: {} is missing", puppet.display());
    let config = format!("[engine]\nname = \"puppet\"\npath = {puppet:?}\n");
    let mut platform = Platform::start(&config, &[]);
    platform.wait_for("pa", "running", PATIENCE);
    let scratch = tempfile::tempdir().unwrap();
    let (big, digest) = made(scratch.path());
    let home = platform.home("pa");
    let there = home.join("big");

    // In the middle, and when the last byte has come and the file may be about to take its place.
    for at in [size() / 3, size()] {
        let client = copying(&platform, &big);
        until_come(&home, at);
        platform.kill();
        let listen = platform.listen();
        platform.up(&listen);
        let ended = client.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        eprintln!("upload: killed at {at} of {} bytes: {}", size(), said.trim());
        if there.exists() {
            assert!(at == size(), "it was killed in the middle and is there");
            assert_eq!(hash(&there), digest, "it is there and is not what was sent");
            assert!(ended.status.success(), "{said}");
            std::fs::remove_file(&there).unwrap();
        } else {
            assert_eq!(ended.status.code(), Some(6), "{said}");
            assert!(said.contains("did not arrive, and nothing of it stays"), "{said}");
        }
        until(|| incoming(&home).is_empty().then_some(()));
    }

    let client = copying(&platform, &big);
    until_come(&home, size() / 3);
    let ended = interrupted(client);
    assert_eq!(ended.status.code(), Some(130), "{}", String::from_utf8_lossy(&ended.stderr));
    until(|| incoming(&home).is_empty().then_some(()));
    assert!(!there.exists(), "it was stopped in the middle and is there");

    platform.ok(["cp", "--quiet", big.to_str().unwrap(), "pa:big"]);
    assert_eq!(hash(&there), digest);
    assert!(incoming(&home).is_empty());
}

/// A file whose pieces differ, so that no part of it passes for another.
fn made(dir: &Path) -> (PathBuf, Vec<u8>) {
    let path = dir.join("big");
    let mut file = std::fs::File::create(&path).unwrap();
    let (mut sha, mut piece) = (Sha256::new(), vec![0_u8; 1 << 20]);
    for n in 0..size() >> 20 {
        for (at, bytes) in (0_u64..).zip(piece.chunks_exact_mut(8)) {
            bytes
                .copy_from_slice(&(n << 32 | at).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
        }
        sha.update(&piece);
        file.write_all(&piece).unwrap();
    }
    (path, sha.finalize().to_vec())
}

fn hash(path: &Path) -> Vec<u8> {
    let (mut sha, mut file) = (Sha256::new(), std::fs::File::open(path).unwrap());
    let mut piece = vec![0; 1 << 20];
    loop {
        match file.read(&mut piece).unwrap() {
            0 => return sha.finalize().to_vec(),
            n => sha.update(&piece[..n]),
        }
    }
}

fn copying(platform: &Platform, from: &Path) -> Child {
    let mut command = platform.command(["cp", "--quiet", from.to_str().unwrap(), "pa:big"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn interrupted(client: Child) -> Output {
    let pid = rustix::process::Pid::from_raw(client.id().cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    client.wait_with_output().unwrap()
}

/// Waits until so much of a file has come.
fn until_come(home: &Path, bytes: u64) {
    until(|| {
        let come = incoming(home).iter().any(|length| *length >= bytes);
        (come || home.join("big").exists()).then_some(())
    });
}

/// The lengths of what is on its way into a home.
fn incoming(home: &Path) -> Vec<u64> {
    let Ok(entries) = std::fs::read_dir(home.join(".smartbox/incoming")) else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.metadata().ok()).map(|meta| meta.len()).collect()
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {PATIENCE:?} in vain");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}
