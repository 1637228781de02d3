//! Commands beside the engine: streamed both ways, with a deadline, each killed whole.

mod control;
mod pump;
mod run;
pub(crate) mod slot;
mod stdio;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use hyper::body::Incoming;
use smartbox_link::frame::Frame;
use smartbox_link::wire::ExecOrder;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::process::image::{DEFAULT_PATH, Image};
use crate::state::State;

/// How long the first frame is waited for.
const FIRST: Duration = Duration::from_secs(10);
/// Frames on the way to a caller; a slow one slows the command, not init's memory.
const BACKLOG: usize = 8;
/// What a terminal is if its caller does not name it well.
const TERMINAL: &str = "xterm-256color";

/// Why a command is not begun.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExecFault {
    /// The caller's frames are not understood.
    #[error("{0}")]
    Bad(String),
    /// Too many run.
    #[error("too many commands run at once; wait for one to end")]
    Full,
}

/// Reads the order, begins the command, and hands back its number and the frames of its answer.
pub(crate) async fn begin(
    state: Arc<State>,
    mut body: Incoming,
) -> Result<(u64, mpsc::Receiver<Frame>), ExecFault> {
    let mut buffer = BytesMut::new();
    let order = timeout(FIRST, first(&mut body, &mut buffer));
    let mut order = order.await.map_err(|_| ExecFault::Bad("no order came".into()))??;
    let places = &state.spawner.places;
    order.argv = places.all(&order.argv);
    order.env = places.values(&order.env);
    order.cwd = order.cwd.map(|cwd| places.real(&cwd));
    let env = environment(&state, &order);
    let cwd = order.cwd.as_deref().unwrap_or(&state.document.home);
    Image::new(&order.argv, &env, cwd).map_err(|e| ExecFault::Bad(e.to_string()))?;
    let (slot, cancelled) = state.execs.take().ok_or(ExecFault::Full)?;
    let id = slot.id;
    let (answer, frames) = mpsc::channel(BACKLOG);
    let caller = control::Caller { body, buffer, cancelled };
    tokio::spawn(run::run(state, slot, order, env, caller, answer));
    Ok((id, frames))
}

async fn first(body: &mut Incoming, buffer: &mut BytesMut) -> Result<ExecOrder, ExecFault> {
    match control::next(body, buffer).await {
        Ok(Some(Frame::Order(order))) => Ok(*order),
        Ok(_) => Err(ExecFault::Bad("the first frame is not an order".into())),
        Err(why) => Err(ExecFault::Bad(why)),
    }
}

fn environment(state: &State, order: &ExecOrder) -> BTreeMap<String, String> {
    let own = |name: &str, or: &str| std::env::var(name).unwrap_or_else(|_| or.to_owned());
    let term = if order.tty.is_some() { TERMINAL } else { "dumb" };
    let mut env = BTreeMap::from([
        ("PATH".to_owned(), own("PATH", DEFAULT_PATH)),
        ("LANG".to_owned(), own("LANG", "C.UTF-8")),
        ("HOME".to_owned(), state.document.home.clone()),
        ("TERM".to_owned(), term.to_owned()),
    ]);
    env.extend(order.env.clone());
    if order.tty.is_some() && !env.get("TERM").is_some_and(|term| is_terminal(term)) {
        env.insert("TERM".to_owned(), TERMINAL.to_owned());
    }
    env
}

/// Whether a text can name a terminal: programs make a file's path of it.
fn is_terminal(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
    (1..=64).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminals_name_is_no_path() {
        for good in ["xterm", "xterm-256color", "screen.xterm-256color", "vt100+", "rxvt_x"] {
            assert!(is_terminal(good), "{good}");
        }
        for bad in ["", "../../etc", "/tmp/x", ".x", "a b", "a\nb", "\u{e4}", &"x".repeat(65)] {
            assert!(!is_terminal(bad), "{bad}");
        }
    }
}
