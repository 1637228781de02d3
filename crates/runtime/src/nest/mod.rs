//! The helper: a re-executed process that makes one sandbox with direct system calls.
//!
//! It is single-threaded, reads its `spec::Order` as JSON from standard input and answers with
//! one `spec::Reply` on standard output. It is not the sandbox's PID 1: that is init, which the
//! helper's child becomes by `execve`, with the control plane as its parent, so that nobody is
//! left behind as a zombie while the control plane lives, and nothing depends on it when it dies.

mod child;
mod enter;
mod fault;
mod filter;
mod limit;
mod make;
mod names;
mod probe;
mod root;
pub(crate) mod spec;
mod ssh;
mod sys;

use std::io::Read;

use spec::{Order, Reply};

/// The argument by which a program that embeds the helper recognises it.
pub const ARG: &str = "__nest";

/// Carries out the order on standard input and ends the process.
///
/// Call it before any thread is started: namespaces and uids are a thread's.
pub fn nest_main() -> ! {
    let reply = match read_order() {
        Err(fault) => Reply::failed(fault),
        Ok(Order::Make(order)) => make::make(&order),
        Ok(Order::Limit(order)) => limit::limit(&order),
        Ok(Order::Probe { profile }) => probe::probe(profile),
    };
    let code = i32::from(reply.fault.is_some());
    let told = say(&Reply { done: true, ..reply });
    std::process::exit(if told { code } else { 2 })
}

/// Tells the driver; `false` if it does not listen any more.
fn say(reply: &Reply) -> bool {
    let text = serde_json::to_vec(reply).unwrap_or_default();
    rustix::io::write(rustix::stdio::stdout(), &text).is_ok_and(|n| n == text.len())
}

fn read_order() -> Result<Order, spec::Fault> {
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text).map_err(|e| fault::fault("reading the order", e))?;
    serde_json::from_slice(&text).map_err(|e| fault::fault("reading the order", e))
}
