//! A laptop elsewhere is let in: `smartbox login` against a real platform, over https with a certificate
//! of the test's own authority, and over http on the loopback.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};

use crate::platform::{Platform, puppet};

const PATIENCE: Duration = Duration::from_secs(120);

/// A machine of which the platform knows nothing: a home of its own, and no data directory.
struct Laptop {
    home: tempfile::TempDir,
    /// The platform's address.
    url: String,
    /// The file with its authority, if it has one.
    ca: Option<PathBuf>,
}

impl Laptop {
    fn new(url: &str, ca: Option<&Path>) -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { home, url: url.to_owned(), ca: ca.map(Path::to_owned) }
    }

    fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smartbox"));
        command.args(args).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.home.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        self.command(args).output().unwrap()
    }

    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it says that is refused, and the code that it ends with.
    fn refused(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = self.run(args);
        assert!(!output.status.success(), "{args:?}: {output:?}");
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    fn contexts(&self) -> PathBuf {
        self.home.path().join(".config/smartbox/contexts.json")
    }

    /// Begins to log in, and reads the code and the digits that it shows.
    fn asks(&self) -> Asking {
        let mut args = vec!["login".to_owned(), self.url.clone()];
        // What is kept of it is enough once the file is gone.
        if let Some(ca) = self.ca.as_ref().filter(|ca| ca.exists()) {
            args.extend(["--ca".to_owned(), ca.display().to_string()]);
        }
        let mut child = self.command(&args).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let mut word = |name: &str| loop {
            let line = lines.next().unwrap_or_else(|| panic!("no {name}: {said}")).unwrap();
            said += &format!("{line}\n");
            if let Some(word) = line.strip_prefix(name) {
                return word.trim().to_owned();
            }
        };
        let (code, digits) = (word("code "), word("digits "));
        // All of what it says, so that it is not held up.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Asking { child, code, digits, said }
    }

    /// Logs in, approved on the platform's side by somebody who compares.
    fn logs_in(&self, platform: &Platform) {
        let asking = self.asks();
        let waits = asking.waits(platform);
        assert_eq!(waits["asks"]["comparison"], json!(asking.digits));
        platform.ok(["devices", "approve", &asking.code, "--yes"]);
        asking.done();
    }
}

/// A login that waits.
struct Asking {
    child: Child,
    code: String,
    digits: String,
    said: String,
}

impl Asking {
    /// The one device that the platform knows to wait.
    fn waits(&self, platform: &Platform) -> Value {
        let mut waiting = devices(platform);
        waiting.retain(|device| !device["asks"].is_null());
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        waiting.remove(0)
    }

    fn done(mut self) {
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.said);
    }
}

fn devices(platform: &Platform) -> Vec<Value> {
    serde_json::from_str(&platform.ok(["devices", "ls", "--json"])).unwrap()
}

#[test]
fn a_laptop_is_let_in_over_https() {
    let dir = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = certified(dir.path(), port);
    let url = format!("https://localhost:{port}");
    let mut platform = Platform::start_at(&config, &format!("127.0.0.1:{port}"), &url);
    let ca = dir.path().join("ca.pem");
    strangers_are_told_from_the_platform(&url, &ca, dir.path());
    let laptop = Laptop::new(&url, Some(&ca));
    let asking = laptop.asks();
    let page = format!("{url}/device");
    let complete = format!("{page}?code={}", asking.code);
    assert!(asking.said.contains(&page) && asking.said.contains(&complete), "{}", asking.said);
    platform.ok(["devices", "reject", &asking.code]);
    let output = asking.child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5));
    laptop.logs_in(&platform);
    std::fs::remove_file(&ca).unwrap();
    it_is_let_in_until_it_is_shut_out(&laptop, &mut platform);
}

#[test]
fn a_laptop_is_let_in_over_http_on_the_loopback() {
    let mut platform = Platform::start(&puppet(), &[]);
    let url = format!("http://127.0.0.1:{}", platform.port);
    let laptop = Laptop::new(&url, None);
    let (code, said) = laptop.refused(&["login", &url.replace("http:", "https:")]);
    assert!(code == Some(2) && said.contains("does not speak TLS"), "{said}");
    laptop.logs_in(&platform);
    it_is_let_in_until_it_is_shut_out(&laptop, &mut platform);
}

/// A configuration with a certificate for `localhost`; its authority's is in `ca.pem` beside it.
fn certified(dir: &Path, port: u16) -> String {
    let own = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "An authority of our own");
    std::fs::write(dir.join("ca.pem"), params.self_signed(&own).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, own);
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "*.localhost".to_owned()];
    let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(dir.join("own.pem"), leaf.pem()).unwrap();
    std::fs::write(dir.join("key.pem"), key.serialize_pem()).unwrap();
    format!(
        "{}[http]\nurl = \"https://localhost:{port}\"\n[http.tls]\ncertificate = {:?}\nkey = {:?}\n",
        puppet(),
        dir.join("own.pem"),
        dir.join("key.pem"),
    )
}

fn strangers_are_told_from_the_platform(url: &str, ca: &Path, dir: &Path) {
    let laptop = Laptop::new(url, Some(ca));
    let (code, said) = laptop.refused(&["login", url]);
    assert!(code == Some(1) && said.contains("nobody whom this machine trusts"), "{said}");
    let other = dir.join("other.pem");
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(Vec::new()).unwrap();
    std::fs::write(&other, params.self_signed(&key).unwrap().pem()).unwrap();
    let (_, said) = laptop.refused(&["login", url, "--ca", other.to_str().unwrap()]);
    assert!(said.contains("not from the authority that is named"), "{said}");
    let misnamed = url.replace("localhost", "127.0.0.1");
    let (_, said) = laptop.refused(&["login", &misnamed, "--ca", ca.to_str().unwrap()]);
    assert!(said.contains("is for localhost, *.localhost, not for 127.0.0.1"), "{said}");
    let (code, said) = laptop.refused(&["login", &url.replace("https:", "http:")]);
    assert!(code == Some(2) && said.contains(&format!("write {url}")), "{said}");
}

/// From the first call to the last.
fn it_is_let_in_until_it_is_shut_out(laptop: &Laptop, platform: &mut Platform) {
    platform.wait_for("pa", "running", PATIENCE);
    everything_works(laptop);
    once_more_is_the_same_device(laptop, platform);
    a_copy_without_the_key_is_useless(laptop);
    what_is_shut_out_is_cut_off(laptop, platform);
    a_login_that_was_killed_goes_on(laptop, platform);
    assert!(laptop.ok(&["logout"]).contains("shut out by the platform"));
    assert_eq!(devices(platform)[0]["state"], json!("revoked"));
}

fn everything_works(laptop: &Laptop) {
    assert!(laptop.ok(&["ls"]).contains("pa"));
    assert!(laptop.ok(&["--server", &laptop.url, "ls"]).contains("pa"), "by its address, too");
    let listed = laptop.ok(&["devices", "ls"]);
    assert!(listed.contains("approved") && listed.contains("ENDS"), "{listed}");
    let listed: Vec<Value> =
        serde_json::from_str(&laptop.ok(&["devices", "ls", "--json"])).unwrap();
    let day = |name: &str| listed[0][name].as_i64().unwrap() / 86_400_000;
    assert_eq!(day("expires") - day("seen"), 30, "{listed:?}");
    assert!(laptop.ok(&["chat", "pa", "are you there"]).contains("are you there"));
    let big: Vec<u8> = (0..2_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let file = laptop.home.path().join("big");
    std::fs::write(&file, &big).unwrap();
    laptop.ok(&["cp", "-q", file.to_str().unwrap(), "pa:big"]);
    let back = laptop.run(["files", "cat", "pa", "big"]);
    assert!(back.status.success() && back.stdout == big, "{:?}", back.status);
    assert_eq!(laptop.ok(&["exec", "pa", "--", "sh", "-c", "echo $((6 * 7))"]), "42\n");
}

fn once_more_is_the_same_device(laptop: &Laptop, platform: &Platform) {
    let before = devices(platform);
    laptop.ok(&["login", &laptop.url]);
    assert!(laptop.ok(&["ls"]).contains("pa"));
    let after = devices(platform);
    let ids = |devices: &[Value]| devices.iter().map(|d| d["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&before), ids(&after), "and nobody had to approve it");
}

/// What lies in a backup, or was copied from the screen.
fn a_copy_without_the_key_is_useless(laptop: &Laptop) {
    let thief = Laptop::new(&laptop.url, laptop.ca.as_deref());
    let text = std::fs::read_to_string(laptop.contexts()).unwrap();
    let kept: Value = serde_json::from_str(&text).unwrap();
    let token = kept["contexts"]["platform"]["token"].as_str().unwrap().to_owned();
    std::fs::create_dir_all(thief.contexts().parent().unwrap()).unwrap();
    let another = "07".repeat(32);
    for key in [Value::Null, json!(another)] {
        let mut copy = kept.clone();
        let entry = copy["contexts"]["platform"].as_object_mut().unwrap();
        entry.remove("key");
        if !key.is_null() {
            entry.insert("key".into(), key);
        }
        std::fs::write(thief.contexts(), copy.to_string()).unwrap();
        Command::new("chmod").arg("600").arg(thief.contexts()).status().unwrap();
        let (code, said) = thief.refused(&["ls"]);
        assert!(code == Some(5) && !said.contains(&token), "{said}");
    }
}

/// Follows the log across a platform that dies, until it is shut out.
fn what_is_shut_out_is_cut_off(laptop: &Laptop, platform: &mut Platform) {
    let mut following = laptop.command(["logs", "-f", "-n", "1", "pa"]).spawn().unwrap();
    let mut out = BufReader::new(following.stdout.take().unwrap()).lines();
    let mut err = BufReader::new(following.stderr.take().unwrap()).lines();
    assert!(out.next().unwrap().is_ok(), "it follows");
    let listen = platform.listen();
    platform.kill();
    assert!(err.next().unwrap().unwrap().contains("the platform is away"));
    platform.up(&listen);
    platform.ok(["restart", "pa"]);
    assert!(out.next().unwrap().is_ok(), "it goes on");
    // What is still on its way is read, so that nothing is held up.
    std::thread::spawn(move || out.map_while(Result::ok).for_each(drop));
    let id = devices(platform)[0]["id"].as_str().unwrap().to_owned();
    platform.ok(["devices", "revoke", &id]);
    let began = Instant::now();
    let said: Vec<String> = err.map_while(Result::ok).collect();
    let status = following.wait().unwrap();
    eprintln!("login: `logs -f` ended {:?} after the device was shut out", began.elapsed());
    let said = said.join("\n");
    let helps = format!("ask again with `smartbox login {}`", laptop.url);
    assert!(status.code() == Some(5) && said.contains(&helps), "{status}: {said}");
    let (code, said) = laptop.refused(&["ls"]);
    assert!(code == Some(5) && said.contains(&helps), "{said}");
}

fn a_login_that_was_killed_goes_on(laptop: &Laptop, platform: &mut Platform) {
    let mut killed = laptop.asks();
    let first = killed.waits(platform)["id"].clone();
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    // Let in while nobody waits: the next one has nothing to ask.
    platform.ok(["devices", "approve", &killed.code, "--yes"]);
    let output = laptop.run(["login", &laptop.url, "--json"]);
    assert!(output.status.success(), "{output:?}");
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(done["device"], first, "it is the same device");
    assert!(laptop.ok(&["ls"]).contains("pa"));
    // One that is new, killed before anybody has decided.
    let other = Laptop::new(&laptop.url, laptop.ca.as_deref());
    if let Some(ca) = &laptop.ca {
        // Its authority is gone from the disk; the other machine has it from the first.
        let text = std::fs::read_to_string(laptop.contexts()).unwrap();
        let kept: Value = serde_json::from_str(&text).unwrap();
        std::fs::write(ca, kept["contexts"]["platform"]["ca"].as_str().unwrap()).unwrap();
    }
    let mut killed = other.asks();
    let first = killed.waits(platform)["id"].clone();
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    let again = other.asks();
    assert_eq!(again.waits(platform)["id"], first, "it takes its own place again");
    assert_ne!(again.code, killed.code);
    let old = platform.run(["devices", "approve", &killed.code, "--yes"]);
    assert!(!old.status.success(), "the first code is over");
    // The platform, too, may die and come back meanwhile.
    let listen = platform.listen();
    platform.kill();
    platform.up(&listen);
    platform.ok(["devices", "approve", &again.code, "--yes"]);
    again.done();
    assert!(other.ok(&["logout"]).contains("shut out"));
    let mut rest = String::new();
    std::fs::File::open(other.contexts()).unwrap().read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("sbd_") && !rest.contains("key"), "nothing is left: {rest}");
}
