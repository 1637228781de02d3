//! What may leave a box, tried from within with the programs that people use: nothing by default, then
//! what its owner allows, and never what lies behind the platform.

use std::io::{Read, Write};
use std::net::{TcpListener, ToSocketAddrs};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::platform::{Platform, puppet};

/// The registries of npm and PyPI are the only hosts of the internet that tests may ask.
pub const REGISTRIES: [&str; 3] = ["registry.npmjs.org", "pypi.org", "files.pythonhosted.org"];

/// Where a machine reaches the registries by a mirror in its own network, the operator opens that.
pub fn mirrors() -> Vec<String> {
    let ips = REGISTRIES.iter().flat_map(|host| (*host, 443).to_socket_addrs().unwrap());
    let private =
        ips.map(|at| at.ip()).filter(|ip| !smartbox_core::egress::address::is_public(*ip));
    private.map(|ip| ip.to_string()).collect()
}

/// A server that answers every request with the same, and says how many it got.
fn web(answer: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                head.push(byte[0]);
            }
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
                answer.len()
            );
        }
    });
    port
}

/// A repository `repo.git` that git can clone from a server of files.
pub fn bare_repository(dir: &Path) {
    let git = |at: &Path, args: &[&str]| {
        let ended = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(args)
            .current_dir(at)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(ended.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ended.stderr));
    };
    let work = dir.join("work");
    std::fs::create_dir(&work).unwrap();
    git(&work, &["init", "-q", "-b", "main"]);
    std::fs::write(work.join("README"), "cloned\n").unwrap();
    git(&work, &["add", "."]);
    git(&work, &["commit", "-q", "-m", "One"]);
    git(dir, &["clone", "-q", "--bare", "work", "repo.git"]);
    git(&dir.join("repo.git"), &["update-server-info"]);
}

/// The same, and a server of it over plain HTTP.
fn repository(dir: &Path) -> u16 {
    bare_repository(dir);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let root = dir.to_owned();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let path = head.split(' ').nth(1).unwrap_or("/").split('?').next().unwrap_or("/");
            let (status, body) = match std::fs::read(root.join(path.trim_start_matches('/'))) {
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(&body);
        }
    });
    port
}

/// The first box of a platform, from within.
pub struct Inside<'p>(pub &'p Platform);

impl Inside<'_> {
    /// Runs a script in the box: how it ended, and everything that it said.
    pub fn run(&self, script: &str) -> (bool, String) {
        let ended = self.0.run(["exec", "--timeout", "300s", "pa", "--", "sh", "-c", script]);
        let said = [&ended.stdout[..], &ended.stderr].concat();
        (ended.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    /// What `smartbox egress` says of a host.
    pub fn row(&self, host: &str, port: u16) -> Option<Value> {
        let rows: Vec<Value> =
            serde_json::from_str(&self.0.ok(["egress", "pa", "--json"])).unwrap();
        rows.into_iter().find(|row| row["host"] == host && row["port"] == port)
    }
}

#[test]
fn nothing_leaves_but_what_its_owner_allows() {
    let files = tempfile::tempdir().unwrap();
    let (git, site) = (repository(files.path()), web("from the site".into()));
    let mut private = mirrors();
    private.extend([git, site].map(|port| format!("127.0.0.1:{port}")));
    let config = puppet() + &format!("\n[egress]\nprivate = {private:?}\n");
    let platform = Platform::start(&config, &[]);
    let inside = Inside(&platform);

    // By default each is refused, in words that say what helps.
    let npm = "cd && mkdir -p p && cd p && npm install --no-audit --no-fund is-number";
    let pip = "cd && python3 -m pip download --no-deps --disable-pip-version-check -d w six";
    for (script, host) in [(npm, "registry.npmjs.org"), (pip, "pypi.org")] {
        let (fine, said) = inside.run(script);
        assert!(!fine, "{said}");
        let row = inside.row(host, 443).unwrap_or_else(|| panic!("{host} is listed"));
        assert_eq!((&row["why"], &row["allowed"]), (&"not-listed".into(), &false.into()), "{row}");
        assert!(row["refused"].as_u64() > Some(0) && row["opened"] == 0, "{row}");
    }
    let (_, said) = inside.run(npm);
    assert!(said.contains("smartbox egress allow pa registry.npmjs.org"), "{said}");
    let told = platform.ok(["egress", "pa"]);
    assert!(told.contains("\n  smartbox egress allow pa pypi.org\n"), "{told}");

    // With a preset they work, with nothing set up inside.
    platform.ok(["egress", "allow", "pa", "registries"]);
    for script in [npm, pip] {
        let (fine, said) = inside.run(script);
        assert!(fine, "{said}");
    }
    let row = inside.row("registry.npmjs.org", 443).unwrap();
    assert!(row["opened"].as_u64() > Some(0) && row["bytes_in"].as_u64() > Some(1000), "{row}");

    // Git, through the proxy to a host that is named by its address.
    let clone = format!(
        "cd && rm -rf c && NO_PROXY= no_proxy= git clone -q http://127.0.0.1:{git}/repo.git c && cat c/README"
    );
    let (fine, said) = inside.run(&clone);
    assert!(!fine && said.contains("403"), "{said}");
    platform.ok(["egress", "allow", "pa", &format!("127.0.0.1:{git}"), "--for", "1h"]);
    let (fine, said) = inside.run(&clone);
    assert!(fine && said.ends_with("cloned\n"), "{said}");

    who_asked_is_told(&inside);
    what_lies_behind_the_platform_is_out_of_reach(&platform, &inside);
    one_connection_is_one_connection(&platform, &inside, site);
}

/// By the name that a program has, and it may have any: what it does with a terminal is taken from it.
fn who_asked_is_told(inside: &Inside<'_>) {
    inside.run("curl -sS https://by-curl.test/");
    assert_eq!(inside.row("by-curl.test", 443).unwrap()["by"], "curl");
    let liar = "python3 -c 'import ctypes, urllib.request as u; \
                ctypes.CDLL(None).prctl(15, b\"\\x1b[2Jcurl\", 0, 0, 0); u.urlopen(\"http://by-a-liar.test/\")'";
    inside.run(liar);
    assert_eq!(inside.row("by-a-liar.test", 80).unwrap()["by"], "?[2Jcurl");
}

/// The owner may allow it, and it is refused all the same: only an operator's word counts here.
fn what_lies_behind_the_platform_is_out_of_reach(platform: &Platform, inside: &Inside<'_>) {
    let port = platform.port;
    for host in ["127.0.0.1", "[::1]", "169.254.169.254"] {
        platform.ok(["egress", "allow", "pa", &format!("{host}:{port}")]);
        let ask = format!("curl -sS -m 60 --noproxy '' -D - http://{host}:{port}/health");
        let (_, said) = inside.run(&ask);
        assert!(said.starts_with("HTTP/1.1 403") && said.contains("private"), "{said}");
    }
    let (fine, said) =
        inside.run(&format!("curl -sS -m 60 --noproxy '*' http://127.0.0.1:{port}/"));
    assert!(!fine, "there is no way beside the proxy: {said}");
    assert_eq!(inside.row("127.0.0.1", port).unwrap()["why"], "private");
}

fn one_connection_is_one_connection(platform: &Platform, inside: &Inside<'_>, site: u16) {
    let ask = format!("curl -sS -m 60 --noproxy '' http://127.0.0.1:{site}/");
    platform.ok(["egress", "allow", "--once", "pa", &format!("127.0.0.1:{site}")]);
    let (_, first) = inside.run(&ask);
    let (_, second) = inside.run(&ask);
    assert_eq!(first, "from the site");
    assert!(second.contains("is not allowed for pa"), "{second}");
}

/// A server that takes everything, counts it, and answers nothing.
fn sink() -> (u16, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(AtomicU64::new(0));
    let counter = taken.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let counter = counter.clone();
            std::thread::spawn(move || {
                let mut piece = vec![0; 64 << 10];
                while let Ok(n @ 1..) = stream.read(&mut piece) {
                    counter.fetch_add(n as u64, Ordering::SeqCst);
                }
            });
        }
    });
    (port, taken)
}

fn today() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the platform goes by it")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    since.as_secs() / 86_400
}

#[test]
fn an_upload_ends_with_the_bytes_of_the_day_and_a_crash_gives_none_anew() {
    let (port, taken) = sink();
    let config = puppet()
        + &format!("\n[egress]\nprivate = [\"127.0.0.1:{port}\"]\nout_per_day = \"200KiB\"\n");
    let mut platform = Platform::start(&config, &[]);
    platform.ok(["egress", "allow", "pa", &format!("127.0.0.1:{port}")]);
    let curl = format!("curl -sS -m 120 --noproxy '' -D - http://127.0.0.1:{port}/");
    // Where midnight comes between, it is another day, and the same again.
    loop {
        let began = today();
        taken.store(0, Ordering::SeqCst);
        let upload = format!("head -c 3000000 /dev/zero | {curl} -H Expect: --data-binary @-");
        let (_, said) = Inside(&platform).run(&upload);
        let row = Inside(&platform).row("127.0.0.1", port).expect("it is written down");
        let arrived = taken.load(Ordering::SeqCst);
        platform.kill();
        platform.up("127.0.0.1:0");
        let (_, again) = Inside(&platform).run(&curl);
        if today() != began {
            continue;
        }
        assert!(said.contains("429") || said.contains("reset"), "{said}");
        // The platform writes the head anew; fields of its own are not counted.
        assert!(arrived <= (200 << 10) + 100, "{arrived}");
        assert_eq!((&row["why"], &row["bytes_out"]), (&"volume".into(), &(200 << 10).into()));
        assert!(again.starts_with("HTTP/1.1 429 pa has used up its bytes of today"), "{again}");
        assert!(again.contains("egress.out_per_day") && again.contains("retry-after"), "{again}");
        break;
    }
}
