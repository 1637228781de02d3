//! A terminal in a real box, through the real binary: what a person types, sees and gets back.
//!
//! The engine is puppet: the terminal is the sandbox's and init's, and the boot is quick.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::platform::Platform;

const SOON: Duration = Duration::from_secs(60);

/// A person's terminal: what is typed goes in, what is shown comes out.
struct Terminal {
    keyboard: File,
    theirs: OwnedFd,
    shown: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    fn open() -> Self {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let keyboard = File::from(ours);
        let mut screen = keyboard.try_clone().unwrap();
        let (tell, shown) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(len @ 1..) = screen.read(&mut bytes) {
                if tell.send(bytes[..len].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { keyboard, theirs, shown, seen: String::new() }
    }

    fn resize(&self, ws_col: u16, ws_row: u16) {
        tcsetwinsize(&self.theirs, Winsize { ws_col, ws_row, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    }

    fn modes(&self) -> Termios {
        tcgetattr(&self.theirs).unwrap()
    }

    /// Begins a command whose terminal this is: the kernel tells it of a new size.
    fn run(&self, mut command: Command) -> Child {
        let stdio = || Stdio::from(self.theirs.try_clone().unwrap());
        let mut on_it = Command::new("setsid");
        on_it.arg("--ctty").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => on_it.env(name, value),
                None => on_it.env_remove(name),
            };
        }
        command = on_it;
        command.env("TERM", "xterm").stdin(stdio()).stdout(stdio()).stderr(stdio());
        command.spawn().unwrap()
    }

    fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Whether this is shown within a time; what came before it is done with.
    fn shows(&mut self, wanted: &str, within: Duration) -> bool {
        let end = Instant::now() + within;
        loop {
            if let Some(at) = self.seen.find(wanted) {
                self.seen.drain(..at + wanted.len());
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.shown.recv_timeout(left) {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(_) => return false,
            }
        }
    }

    fn wait_for(&mut self, wanted: &str) {
        assert!(self.shows(wanted, SOON), "{wanted:?} was not shown, but {:?}", self.seen);
    }
}

fn one_box() -> Platform {
    let puppet = PathBuf::from(env!("CARGO_BIN_EXE_smartbox")).with_file_name("smartbox-puppet");
    assert!(puppet.exists(), "build the whole workspace first: {} is missing", puppet.display());
    let platform =
        Platform::start(&format!("[engine]\nname = \"puppet\"\npath = {puppet:?}\n"), &[]);
    platform.wait_for("pa", "running", SOON);
    platform
}

fn ended(mut child: Child) -> Option<i32> {
    let end = Instant::now() + SOON;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::park_timeout(Duration::from_millis(20));
    }
    child.kill().unwrap();
    panic!("it does not end");
}

#[test]
fn a_shell_in_a_box_is_a_shell_at_a_terminal() {
    let platform = one_box();
    platform.ok(["sleep", "pa"]);
    platform.wait_for("pa", "frozen", SOON);
    a_person_works_in_it(&platform);
    a_killed_client_leaves_the_terminal_as_it_was(&platform);
    a_pipe_is_no_terminal(&platform);
}

/// It wakes the box, knows its size and every new one, has its keys, and its exit code comes back.
fn a_person_works_in_it(platform: &Platform) {
    let mut terminal = Terminal::open();
    terminal.resize(101, 33);
    let before = terminal.modes();
    let shell = ["exec", "-it", "pa", "--", "bash", "--norc", "--noprofile"];
    let child = terminal.run(platform.command(shell));
    terminal.type_in("tty; stty size\r");
    terminal.wait_for("/dev/pts/");
    terminal.wait_for("33 101");
    assert!(!terminal.modes().local_modes.contains(LocalModes::ICANON), "keys go through unread");
    terminal.resize(120, 40);
    let end = Instant::now() + SOON;
    loop {
        terminal.type_in("stty size\r");
        if terminal.shows("40 120", Duration::from_secs(1)) {
            break;
        }
        assert!(Instant::now() < end, "the new size never arrived: {:?}", terminal.seen);
    }
    // A job that speaks has the terminal already.
    terminal.type_in("echo $TERM-$LANG; sh -c \"echo be''gun; exec sleep 1000\"\r");
    terminal.wait_for("xterm-C.UTF-8");
    terminal.wait_for("begun");
    terminal.type_in("\u{3}");
    terminal.type_in("\recho code:$?:\r");
    terminal.wait_for("code:130:");
    terminal.type_in("exit 7\r");
    assert_eq!(ended(child), Some(7));
    assert_same(&before, &terminal.modes());
}

/// Killed in the middle, it puts the terminal back, and what it ran in the box goes.
fn a_killed_client_leaves_the_terminal_as_it_was(platform: &Platform) {
    let mut terminal = Terminal::open();
    terminal.resize(80, 24);
    let before = terminal.modes();
    let script = "echo pid:$$: >mark; echo r''eady; exec sleep 4321";
    let child = terminal.run(platform.command(["exec", "-it", "pa", "--", "sh", "-c", script]));
    terminal.wait_for("ready");
    assert!(!terminal.modes().local_modes.contains(LocalModes::ICANON));
    // `setsid` became it.
    let client = rustix::process::Pid::from_raw(child.id().cast_signed()).unwrap();
    rustix::process::kill_process(client, rustix::process::Signal::TERM).unwrap();
    assert_eq!(ended(child), Some(128 + 15));
    assert_same(&before, &terminal.modes());
    let end = Instant::now() + SOON;
    while platform.run(["exec", "pa", "--", "pgrep", "-f", "sleep 4321"]).status.success() {
        assert!(Instant::now() < end, "the command outlived its caller");
    }
}

fn a_pipe_is_no_terminal(platform: &Platform) {
    let output = platform.run(["exec", "-it", "pa", "--", "true"]);
    assert_eq!(output.status.code(), Some(125));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("hint: leave -t out"), "{said}");
}

fn assert_same(before: &Termios, after: &Termios) {
    assert_eq!(before.local_modes, after.local_modes);
    assert_eq!(before.input_modes, after.input_modes);
    assert_eq!(before.output_modes, after.output_modes);
    assert_eq!(before.control_modes, after.control_modes);
}
