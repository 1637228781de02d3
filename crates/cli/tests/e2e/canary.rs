//! Where keys are, and where they are not: outside the box they sign real calls, to models and to other
//! services, and inside nothing knows them, not even the memory of a program.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use memchr::memmem;

use crate::original::SECRET;
use crate::platform::{Platform, cgroup, pids};
use crate::provider::{Provider, SAID};
use crate::secrets::{
    Planted, a_project_clones_its_repository, secrets_go_where_they_are_bound_and_nowhere_else,
};
use crate::service::Trust;

const BOOT: Duration = Duration::from_secs(300);
#[test]
fn a_key_signs_calls_and_is_nowhere_in_the_box() {
    let unique = std::process::id();
    // The second half is looked for: a key that was cut is found, too.
    let given = format!("sk-ant-api03-e2e{unique}-canarygiven{unique}Qx7");
    let kept = format!("sk-proj-e2e{unique}-canarykept{unique}Zw3");
    let provider = Provider::start(&given);
    let address = format!("http://127.0.0.1:{}", provider.port);
    let files = tempfile::tempdir().unwrap();
    let trust = Trust::new(files.path());
    let planted = Planted::new(&trust, files.path(), unique);
    let env = [
        ("SSL_CERT_FILE", trust.file.to_str().unwrap()),
        ("ANTHROPIC_API_KEY", given.as_str()),
        ("ANTHROPIC_BASE_URL", address.as_str()),
        ("MOLTBOT_GATEWAY_MASTER_TOKEN", SECRET),
    ];
    let platform = Platform::start(&(super::story::config() + &planted.private()), &env);
    platform.wait_for("pa", "running", BOOT);
    let output = platform.feed(&["secret", "set", "OPENAI_API_KEY"], &format!("{kept}\n"));
    assert!(output.status.success(), "{output:?}");
    assert!(platform.ok(["secret", "ls"]).contains("OPENAI_API_KEY"));

    let answer = platform.ok(["chat", "pa", "hi"]);
    assert!(answer.contains(SAID), "the fixed words of the provider: {answer}");
    assert!(!provider.asked().is_empty());

    secrets_go_where_they_are_bound_and_nowhere_else(&platform, &planted);
    a_project_clones_its_repository(&platform, &planted);

    let model = [format!("canarygiven{unique}"), format!("canarykept{unique}")];
    let canaries = [&model[..], &Planted::canaries(unique)].concat();
    nothing_in_the_box_knows(&platform, &canaries);
    nobody_is_told(&platform, &canaries);
    nothing_is_written(&platform, &canaries);
    the_search_finds_what_is_there(&platform, unique);
    // In the same box, since a boot takes ten seconds of a processor.
    crate::configs::the_configuration_is_changed_and_told(&platform, &provider);
}

/// Memory, environment and arguments of every process, and every file.
fn nothing_in_the_box_knows(platform: &Platform, canaries: &[String]) {
    let id = platform.id("pa");
    let all: Vec<u32> = pids().into_iter().filter(|pid| cgroup(*pid).contains(&id)).collect();
    assert!(all.len() >= 2, "init and the engine: {all:?}");
    let mut bytes = 0;
    for pid in all {
        for name in ["environ", "cmdline"] {
            let text = std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
            assert_eq!(found(&text, canaries), None, "{name} of {pid}");
        }
        let (read, hit) = search_memory(pid, canaries);
        assert_eq!(hit, None, "in the memory of {pid}");
        bytes += read;
    }
    assert!(bytes > 100 << 20, "the engine's memory was read: {bytes} bytes");
    let inside = platform.ok(["exec", "pa", "--", "env"]);
    assert_eq!(found(inside.as_bytes(), canaries), None);
}

fn nobody_is_told(platform: &Platform, canaries: &[String]) {
    for args in [
        &["logs", "pa"][..],
        &["status", "--json"],
        &["status", "pa", "--json"],
        &["secret", "ls", "--json"],
        &["ls", "--json"],
    ] {
        let output = platform.run(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        assert_eq!(found(&output.stdout, canaries), None, "{args:?}");
        assert_eq!(found(&output.stderr, canaries), None, "{args:?}");
    }
    let said = platform.said();
    assert!(said.contains("Smartbox is running"), "{said}");
    assert_eq!(found(said.as_bytes(), canaries), None, "what `up` printed and logged");
}

/// Everything beneath the data directory: records and their journal, logs, the home.
fn nothing_is_written(platform: &Platform, canaries: &[String]) {
    let mut seen = BTreeSet::new();
    assert_eq!(search_files(platform.data.path(), canaries, &mut seen), None);
    let has = |part: &str| seen.iter().any(|name| name.contains(part));
    for part in ["smartbox.db", "engine.log", ".openclaw/openclaw.json", "master.key"] {
        assert!(has(part), "{part} was looked at: {seen:?}");
    }
}

/// The same search, for something that is there: in the engine's memory, a file and the log of a box.
fn the_search_finds_what_is_there(platform: &Platform, unique: u32) {
    let there = [format!("canarythere{unique}")];
    platform.ok(["exec", "pa", "--", "sh", "-c", &format!("echo x{} > there", there[0])]);
    let mut seen = BTreeSet::new();
    let hit = search_files(&platform.home("pa"), &there, &mut seen);
    assert!(hit.is_some(), "a file that holds it is found");
    let id = platform.id("pa");
    let token =
        std::fs::read_to_string(platform.home("pa").join(".openclaw/openclaw.json")).unwrap();
    let token: serde_json::Value = serde_json::from_str(&token).unwrap();
    let token = token["models"]["providers"]["platform"]["apiKey"].as_str().unwrap().to_owned();
    let hits = pids()
        .into_iter()
        .filter(|pid| cgroup(*pid).contains(&id))
        .filter(|pid| search_memory(*pid, std::slice::from_ref(&token)).1.is_some())
        .count();
    assert!(hits > 0, "the box's own token is in the engine's memory");
}

/// The first of these that occurs.
pub fn found(bytes: &[u8], needles: &[String]) -> Option<String> {
    needles.iter().find(|needle| occurs(bytes, needle.as_bytes())).cloned()
}

/// Text of one byte a letter and, as JavaScript may keep it, of two.
fn occurs(bytes: &[u8], needle: &[u8]) -> bool {
    let wide: Vec<u8> = needle.iter().flat_map(|b| [*b, 0]).collect();
    memmem::find(bytes, needle).is_some() || memmem::find(bytes, &wide).is_some()
}

/// Reads all memory of a process that can be read; how much that was, and what it held.
fn search_memory(pid: u32, needles: &[String]) -> (u64, Option<String>) {
    const PIECE: usize = 4 << 20;
    const OVERLAP: usize = 256;
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let Ok(memory) = File::open(format!("/proc/{pid}/mem")) else { return (0, None) };
    let (mut read, mut buffer) = (0, vec![0; PIECE]);
    for line in
        maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|p| p.starts_with('r')))
    {
        let (from, rest) = line.split_once('-').unwrap();
        let from = u64::from_str_radix(from, 16).unwrap();
        let to = u64::from_str_radix(rest.split(' ').next().unwrap(), 16).unwrap();
        // Only pages that are there: an engine reserves terabytes and uses none of them.
        for (from, to) in present(pid, from, to) {
            let mut at = from;
            while at < to {
                let want = usize::try_from((to - at).min(PIECE as u64)).unwrap();
                let got = memory.read_at(&mut buffer[..want], at).unwrap_or(0);
                if let Some(hit) = found(&buffer[..got], needles) {
                    return (read, Some(hit));
                }
                read += got as u64;
                if got < want || at + want as u64 == to {
                    break;
                }
                at += (want - OVERLAP) as u64;
            }
        }
    }
    (read, None)
}

/// The stretches of an area whose pages are in memory or swap.
fn present(pid: u32, from: u64, to: u64) -> Vec<(u64, u64)> {
    const PAGE: u64 = 4096;
    const STEP: u64 = 1 << 14;
    let Ok(pagemap) = File::open(format!("/proc/{pid}/pagemap")) else { return vec![(from, to)] };
    let mut out: Vec<(u64, u64)> = Vec::new();
    let mut entries = vec![0; usize::try_from(STEP * 8).unwrap()];
    let mut at = from;
    while at < to {
        let pages = ((to - at) / PAGE).min(STEP);
        let bytes = usize::try_from(pages * 8).unwrap();
        if pagemap.read_exact_at(&mut entries[..bytes], at / PAGE * 8).is_err() {
            break;
        }
        for (n, entry) in (0..pages).zip(entries[..bytes].chunks_exact(8)) {
            // The two highest bits: present, swapped.
            if entry[7] >> 6 != 0 {
                let start = at + n * PAGE;
                match out.last_mut() {
                    Some(last) if last.1 == start => last.1 += PAGE,
                    _ => out.push((start, start + PAGE)),
                }
            }
        }
        at += pages * PAGE;
    }
    out
}

/// Looks into every file beneath a directory; the first that holds one of these, by content or name.
pub fn search_files(dir: &Path, needles: &[String], seen: &mut BTreeSet<String>) -> Option<String> {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        let mut hit = found(path.as_os_str().as_encoded_bytes(), needles);
        if kind.is_dir() {
            hit = hit.or_else(|| search_files(&path, needles, seen));
        } else if kind.is_file() {
            // It may go while we look.
            hit = hit.or(found(&std::fs::read(&path).unwrap_or_default(), needles));
            seen.insert(path.display().to_string());
        }
        if let Some(hit) = hit {
            return Some(format!("{hit} in {}", path.display()));
        }
    }
    None
}
