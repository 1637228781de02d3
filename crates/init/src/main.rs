//! PID 1 of a sandbox: starts and supervises the engine, reaps, and serves the link.
//!
//! What it is not: it makes no namespaces and drops no privileges (the runtime driver's helper did
//! that before it executed this program), and it carries no data of the ports that it hands over.
//!
//! # How it is run
//! Without arguments. (With the argument `connect` it is no init, but ssh's way out: see `connect`.)
//! Descriptors 0, 1 and 2 are open (2 gets one line when init cannot start);
//! 3 to 7 and those named in the document are as [`smartbox_link::inherit`] says. Further:
//! - 4 and 5 are listening Unix stream sockets; 6 and 7 are opened for appending.
//! - Descriptors named in the document are above 7 and all different. Init makes everything it
//!   has close-on-exec; nothing of it reaches a child.
//! - `join_fds` were opened for writing by someone with the right to: every child writes `0` to each,
//!   in order. One that fails fails the start, since a child never runs outside its limits.
//! - `track_fd` is an open directory (not `O_PATH`) that the box's user may write, with its
//!   `cgroup.procs`. Init makes `e<N>` in it for each start of the engine and `x<N>` for each
//!   exec; the child joins after `join_fds`. Without it, trees are found through `/proc`,
//!   helped by the variable `SMARTBOX_GROUP` that children then carry; its value begins with the box's id.
//! - `lease_fd` is an open file description of its own: init blocks in `flock` on it.
//! - The environment gives `PATH` and `LANG` for execs; the rest is dropped.
//!
//! `SIGTERM` (as PID 1: only from outside the PID namespace) ends the engine gracefully and then
//! init. A second one kills at once. Descriptors that init hands over are non-blocking.
//!
//! # Exit codes
//! 0: asked to end. 10: the document is not understood. 11: a descriptor is missing or of the
//! wrong kind. 12: a listener cannot be bound. 13: the home cannot be opened. 14: a system
//! call that init cannot do without failed. 15: the lease ended.

mod boot;
mod clock;
mod connect;
mod end;
mod engine;
mod exec;
mod fence;
mod files;
mod http;
mod net;
mod process;
mod state;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some((word, words)) = words.split_first()
        && word == connect::WORD
    {
        return connect::main(words);
    }
    match boot::inherit().and_then(end::live) {
        Ok(end) => ExitCode::from(end.code()),
        Err(fault) => {
            // Nobody reads it if 2 is closed; there is nowhere else to say it.
            let _ =
                rustix::io::write(rustix::stdio::stderr(), format!("init: {fault}\n").as_bytes());
            ExitCode::from(fault.code())
        }
    }
}
