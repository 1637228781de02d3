//! Logs of a box whose engine is `puppet`: followed through everything that happens to it, and searched
//! for what must be in none of them.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::canary::{found, search_files};
use crate::platform::{Platform, puppet};
use crate::provider::Provider;

const PATIENCE: Duration = Duration::from_secs(120);

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'a>(lines: &'a [Value], source: &str) -> Vec<&'a str> {
    let of = lines.iter().filter(|line| line["source"] == source);
    of.map(|line| line["text"].as_str().unwrap()).collect()
}

/// A time as people write it (RFC 3339).
fn at(ms: i64) -> String {
    let seconds = format!("@{}.{:03}", ms / 1000, ms % 1000);
    let form = "+%Y-%m-%dT%H:%M:%S.%3NZ";
    let told = Command::new("date").args(["-u", "-d", &seconds, form]).output().unwrap();
    String::from_utf8(told.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_follower_loses_and_doubles_nothing_whatever_happens() {
    let mut platform = Platform::start(&puppet(), &[]);
    let listen = platform.listen();
    platform.wait_for("pa", "running", PATIENCE);
    let mut follower = platform
        .command(["logs", "pa", "--follow", "--json", "--tail", "10000"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let seen = Arc::new(Mutex::new(String::new()));
    let (out, told) = (follower.stdout.take().unwrap(), seen.clone());
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            *told.lock().unwrap() += &format!("{line}\n");
        }
    });
    platform.ok(["sleep", "pa"]);
    platform.wait_for("pa", "frozen", PATIENCE);
    platform.ok(["wake", "pa"]);
    platform.ok(["restart", "pa"]);
    platform.ok(["wake", "pa"]);
    platform.kill();
    platform.up(&listen);
    platform.ok(["sleep", "pa", "--deep"]);
    platform.wait_for("pa", "stopped", PATIENCE);
    platform.ok(["wake", "pa"]);
    let there = || lines(&platform.ok(["logs", "pa", "--json", "--tail", "10000"]));
    let end = Instant::now() + PATIENCE;
    let (all, followed) = loop {
        let (all, followed) = (there(), lines(&seen.lock().unwrap()));
        if followed.len() >= all.len() {
            break (all, followed);
        }
        assert!(Instant::now() < end, "{followed:#?} is not yet {all:#?}");
        std::thread::park_timeout(Duration::from_millis(100));
    };
    follower.kill().unwrap();
    follower.wait().unwrap();
    for source in ["engine", "platform"] {
        assert_eq!(of(&followed, source), of(&all, source), "{source}");
    }
    let platforms = of(&all, "platform");
    for told in [
        "start: number 1",
        "state: running → frozen",
        "start: number 2",
        "state: running → stopped",
    ] {
        assert!(platforms.contains(&told), "{told}: {platforms:#?}");
    }
    let listening = of(&all, "engine").iter().filter(|line| line.contains("listening")).count();
    assert_eq!(listening, platforms.iter().filter(|line| line.starts_with("ready: ")).count());
    let cursors: BTreeSet<&str> = followed.iter().map(|l| l["cursor"].as_str().unwrap()).collect();
    assert_eq!(cursors.len(), followed.len(), "each has a place of its own");
    let times = all.iter().filter(|line| line["source"] == "platform");
    let times: Vec<i64> = times.map(|line| line["time"].as_i64().unwrap()).collect();
    let (first, last) = (times[0], times[times.len() - 1]);
    let since = ["logs", "pa", "--json", "--source", "platform", "--since", &at(last)];
    let newer = lines(&platform.ok(since));
    assert!(first < last && !newer.is_empty() && newer.len() < platforms.len(), "{newer:#?}");
    assert!(newer.iter().all(|line| line["time"].as_i64() >= Some(last)), "{newer:#?}");
}

/// Secrets of every kind, and what people say, planted in everything that is asked of a platform that
/// writes all it can.
#[test]
fn what_is_secret_is_in_no_log() {
    let unique = std::process::id();
    let canary = |what: &str| format!("canary{what}{unique}zq");
    let given = format!("sk-ant-{}", canary("given"));
    let provider = Provider::start(&given);
    let address = format!("http://127.0.0.1:{}", provider.port);
    let env = [
        ("ANTHROPIC_API_KEY", given.as_str()),
        ("ANTHROPIC_BASE_URL", address.as_str()),
        ("SMARTBOX_LOG", "debug"),
    ];
    let mut platform = Platform::start(&puppet(), &env);
    let listen = platform.listen();
    platform.wait_for("pa", "running", PATIENCE);
    let kept = format!("sk-{}", canary("kept"));
    assert!(
        platform.feed(&["secret", "set", "OPENAI_API_KEY"], &format!("{kept}\n")).status.success()
    );
    let token = platform.ok(["token", "new"]).trim().to_owned();
    let link = platform.link.split("token=").nth(1).unwrap().to_owned();

    platform.run(["chat", "pa", &canary("message")]);
    assert!(!provider.asked().is_empty(), "the key was used");
    let code = format!("echo {}; cat >/dev/null", canary("command"));
    platform.feed(&["exec", "pa", "--", "sh", "-c", &code], &canary("input"));
    let (wrong, long) = (canary("wrong"), canary("long").repeat(4000));
    let ask = |method: &str, path: &str, token: &str, body: &str| {
        let mut socket = TcpStream::connect(&listen).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {listen}\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             cookie: smartbox={token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        // A body that is refused may not be read to its end.
        let _ = socket.write_all(head.as_bytes()).and_then(|()| socket.write_all(&[]));
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        answer.split(' ').nth(1).and_then(|code| code.parse::<u16>().ok())
    };
    assert_eq!(ask("GET", "/api/v1/boxes", &token, ""), Some(200));
    assert_eq!(ask("GET", "/api/v1/boxes", &wrong, ""), Some(401));
    ask("GET", &format!("/?token={wrong}"), &wrong, "");
    ask("GET", &format!("/api/v1/boxes?{wrong}={wrong}"), &token, "");
    let value = json!({ "value": { "not a string": canary("body") } }).to_string();
    assert_eq!(ask("PUT", "/api/v1/secrets/OTHER_KEY", &token, &value), Some(400));
    let text = json!({ "text": canary("posted") }).to_string();
    assert_eq!(ask("POST", "/api/v1/boxes/pa/messages", &token, &text), Some(202));
    ask("POST", "/api/v1/boxes/pa/messages", &token, &json!({ "text": long }).to_string());
    let patch = json!({ "ui": { "assistant": { "name": canary("config") } } }).to_string();
    ask("PATCH", "/api/v1/boxes/pa/config", &token, &patch);
    ask("PUT", "/api/v1/boxes/pa/files/content?path=note", &token, &canary("file"));

    // Failures say more than successes.
    platform.ok(["restart", "pa"]);
    platform.kill();
    platform.up(&listen);
    platform.ok(["sleep", "pa", "--deep"]);
    platform.ok(["wake", "pa"]);
    platform.run(["chat", "pa", &canary("again")]);

    // What each has in common: every one of them holds this.
    let secret = [format!("{unique}zq"), token, link];
    let log = std::fs::read_to_string(platform.path("logs/platform.log")).unwrap();
    assert!(log.contains("DEBUG"), "it is written at debug level");
    let mut seen = BTreeSet::new();
    let dirs = [platform.path("logs"), platform.path("boxes").join(platform.id("pa")).join("log")];
    for dir in dirs {
        assert_eq!(search_files(&dir, &secret, &mut seen), None);
    }
    for name in ["platform.log", "engine.log", "engine.log.1", "exits.jsonl", "init.log"] {
        assert!(seen.iter().any(|path| path.ends_with(name)), "{name} was searched: {seen:?}");
    }
    let lines = platform.ok(["logs", "pa", "--json", "--tail", "10000"]);
    assert!(lines.contains("asked: ") && lines.contains("listening"), "{lines}");
    assert_eq!(found(lines.as_bytes(), &secret), None, "the lines of both");
    let said = platform.said().lines().filter(|line| !line.contains("?token=")).collect::<String>();
    assert_eq!(found(said.as_bytes(), &secret), None, "what `up` printed besides its link");
    // The search finds what is there.
    platform.ok(["exec", "pa", "--", "sh", "-c", &format!("echo {} > there", secret[0])]);
    assert!(search_files(&platform.home("pa"), &secret, &mut BTreeSet::new()).is_some());
}
