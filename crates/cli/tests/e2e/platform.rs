//! A platform of its own for a test: the real binary on a data directory and a port of its own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// Tests that run a platform take turns: each of them uses the whole machine, and measures patience.
static TURN: Mutex<()> = Mutex::new(());

/// A running `smartbox up`. Dropping it stops the platform and every box, and asserts that nothing stays behind.
pub struct Platform {
    /// Its data directory.
    pub data: tempfile::TempDir,
    /// The link that `up` printed.
    pub link: String,
    /// The port that it listens on.
    pub port: u16,
    /// How the link begins, if it is another one than the address that it listens on.
    origin: Option<String>,
    env: Vec<(String, String)>,
    words: Vec<&'static str>,
    child: Option<Child>,
    /// What every `up` so far said, on both outputs.
    said: Arc<Mutex<String>>,
    /// Held as long as the test lives: a box whose test was killed ends by itself.
    lease: tempfile::NamedTempFile,
    _turn: MutexGuard<'static, ()>,
}

impl Platform {
    /// Starts a platform and waits for its link.
    pub fn start(config: &str, env: &[(&str, &str)]) -> Self {
        Self::start_with(config, env, &[])
    }

    /// The same, with more words for each `up`.
    pub fn start_with(config: &str, env: &[(&str, &str)], words: &[&'static str]) -> Self {
        let mut platform = Self::unstarted(config, env);
        platform.words = words.to_vec();
        platform.up("127.0.0.1:0");
        platform
    }

    /// The same at this address, where its configuration says by which origin people come.
    pub fn start_at(config: &str, listen: &str, origin: &str) -> Self {
        let mut platform = Self::unstarted(config, &[]);
        platform.origin = Some(origin.to_owned());
        platform.up(listen);
        platform
    }

    fn unstarted(config: &str, env: &[(&str, &str)]) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let mut data = tempfile::Builder::new().prefix("smartbox-e2e").tempdir().unwrap();
        // For looking at the logs of a run that failed.
        data.disable_cleanup(std::env::var_os("SMARTBOX_TEST_KEEP").is_some());
        std::fs::write(data.path().join("smartbox.toml"), config).unwrap();
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let (link, said) = (String::new(), Arc::default());
        let lease = tempfile::NamedTempFile::new().unwrap();
        lease.as_file().lock().unwrap();
        let (origin, words) = (None, Vec::new());
        Self { data, link, port: 0, origin, env, words, child: None, said, lease, _turn: turn }
    }

    /// Starts the control plane (again).
    pub fn up(&mut self, listen: &str) {
        let mut child = self
            .command(["up", "--listen", listen, "--lease"])
            .arg(self.lease.path())
            .args(&self.words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, told) = mpsc::channel();
        let out = child.stdout.take().unwrap();
        let lines = BufReader::new(out).lines().map_while(Result::ok);
        let found = tell.clone();
        let begins = self.origin.clone().unwrap_or_else(|| "http://127.0.0.1:".to_owned());
        let (said, complained) = (self.said.clone(), self.said.clone());
        std::thread::spawn(move || {
            for line in lines {
                *said.lock().unwrap() += &format!("{line}\n");
                eprintln!("up: {}", line.split("?token=").next().unwrap_or_default());
                if let Some(at) = line.find(&begins) {
                    let _ = found
                        .send(line[at..].split_whitespace().next().unwrap_or_default().to_owned());
                }
            }
        });
        let err = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(err).lines().map_while(Result::ok) {
                eprintln!("up, stderr: {line}");
                *complained.lock().unwrap() += &format!("{line}\n");
            }
            drop(tell);
        });
        self.child = Some(child);
        self.link = told.recv_timeout(Duration::from_secs(300)).expect("`up` prints its link");
        let rest = self.link.rsplit_once(':').unwrap().1;
        self.port = rest.split(['/', '?']).next().unwrap().parse().unwrap();
    }

    /// The address it listens on.
    pub fn listen(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A command of the binary against this platform.
    pub fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smartbox"));
        command.arg("--data-dir").arg(self.data.path()).args(args);
        for name in
            ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "SANDBOX_SLEEP_AFTER", "SMARTBOX_LISTEN"]
        {
            command.env_remove(name);
        }
        command.envs(self.env.iter().map(|(k, v)| (k, v)));
        command
    }

    /// Runs a command and returns what came of it.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Output {
        self.command(args).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a command that must succeed, and returns its standard output.
    pub fn ok<S: AsRef<OsStr> + std::fmt::Debug>(
        &self,
        args: impl IntoIterator<Item = S>,
    ) -> String {
        let args: Vec<S> = args.into_iter().collect();
        let output = self.run(&args);
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{args:?}: {}\n{}{err}",
            output.status,
            String::from_utf8_lossy(&output.stdout)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command with this on its standard input.
    pub fn feed(&self, args: &[&str], input: &str) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// The state of a box as `ls --json` says.
    pub fn state(&self, name: &str) -> String {
        let list: serde_json::Value = serde_json::from_str(&self.ok(["ls", "--json"])).unwrap();
        let found = list
            .as_array()
            .unwrap()
            .iter()
            .find(|b| b["name"] == name)
            .expect("the box is listed")
            .clone();
        found["state"].as_str().unwrap().to_owned()
    }

    /// Waits until a box is in a state.
    pub fn wait_for(&self, name: &str, state: &str, within: Duration) {
        let end = Instant::now() + within;
        loop {
            let seen = self.state(name);
            if seen == state {
                return;
            }
            assert!(Instant::now() < end, "{name} is {seen}, not {state}, after {within:?}");
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }

    /// Kills the control plane as a crash would.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("the platform runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Kills the control plane and every sandbox, and removes all that they had: what is left is as on a
    /// new machine. Only the environment is as before.
    pub fn lose_everything(&mut self, config: &str) {
        self.kill();
        let ids = self.box_ids();
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let left: Vec<u32> = pids().into_iter().filter(|pid| names_any(*pid, &ids)).collect();
            if left.is_empty() {
                break;
            }
            assert!(Instant::now() < end, "these cannot be killed: {left:?}");
            let left = left.iter().map(ToString::to_string);
            Command::new("kill").arg("-9").args(left).stderr(Stdio::null()).status().unwrap();
            std::thread::park_timeout(Duration::from_millis(20));
        }
        for entry in std::fs::read_dir(self.data.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                std::fs::remove_dir_all(path).unwrap();
            } else {
                std::fs::remove_file(path).unwrap();
            }
        }
        std::fs::write(self.path("smartbox.toml"), config).unwrap();
    }

    /// Asks the control plane to end, and waits for it.
    pub fn term(&mut self) {
        let mut child = self.child.take().expect("the platform runs");
        Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// The process ids of this platform's sandboxes whose cgroup names this part (`/init`, `/engine`).
    /// Never another platform's: tests run side by side, and some of them kill what they find here.
    pub fn box_pids(&self, part: &str) -> Vec<u32> {
        let ids = self.box_ids();
        pids()
            .into_iter()
            .filter(|pid| cgroup(*pid).contains(part) && names_any(*pid, &ids))
            .collect()
    }

    /// The ids of every box that this platform keeps a directory for.
    fn box_ids(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path("boxes")) else { return Vec::new() };
        entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect()
    }

    /// The id of a box.
    pub fn id(&self, name: &str) -> String {
        let view: serde_json::Value =
            serde_json::from_str(&self.ok(["status", name, "--json"])).unwrap();
        view["id"].as_str().unwrap().to_owned()
    }

    /// The directory that a box lives in, seen from the host.
    pub fn home(&self, name: &str) -> PathBuf {
        self.path("boxes").join(self.id(name)).join("home")
    }

    /// Waits until `up` has said this: it says more after its link.
    pub fn hear(&self, text: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.said().contains(text) {
            assert!(Instant::now() < end, "`up` never says {text:?}: {}", self.said());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// What `up` has printed and logged.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// A file of the data directory.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.data.path().join(name)
    }
}

/// All process ids.
pub fn pids() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap();
    entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// The cgroups of a process, as text; empty if it is gone.
pub fn cgroup(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default()
}

impl Drop for Platform {
    fn drop(&mut self) {
        let listen = self.listen();
        if self.child.is_none() && !std::thread::panicking() {
            self.up(&listen);
        }
        let ids = self.box_ids();
        for entry in
            serde_json::from_slice::<Vec<serde_json::Value>>(&self.run(["ls", "--json"]).stdout)
                .unwrap_or_default()
        {
            self.run(["rm", "--yes", entry["name"].as_str().unwrap_or_default()]);
        }
        if let Some(mut child) = self.child.take() {
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
        let end = Instant::now() + Duration::from_secs(10);
        while let Some(pid) = pids().into_iter().find(|pid| names_any(*pid, &ids)) {
            if std::thread::panicking() {
                return;
            }
            assert!(Instant::now() < end, "process {pid} stayed behind: {}", cgroup(pid));
            std::thread::park_timeout(Duration::from_millis(50));
        }
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let data = self.data.path().display().to_string();
        assert!(std::thread::panicking() || !mounts.contains(&data), "a mount stayed behind");
    }
}

/// Whether a process is in the cgroup of one of these boxes.
fn names_any(pid: u32, ids: &[String]) -> bool {
    let cgroup = cgroup(pid);
    ids.iter().any(|id| cgroup.contains(id))
}

/// A configuration with puppet as the engine: the small pretend one, a real process.
pub fn puppet() -> String {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_smartbox")).with_file_name("smartbox-puppet");
    assert!(program.exists(), "build the whole workspace first: {} is missing", program.display());
    format!("[engine]\nname = \"puppet\"\npath = {program:?}\n")
}
