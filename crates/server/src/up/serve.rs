//! Accepting connections, and the orderly end.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio_util::task::TaskTracker;

use super::error::BootError;
use super::event::Event;
use super::signals::Signals;
use super::socket::is_us;
use super::tcp::Tcp;
use crate::boot::Started;
use crate::http::dispatch;
use crate::tls::{Accept, Keeper};

/// How long what has begun may take to finish.
pub(crate) const FINISH: Duration = Duration::from_secs(10);
/// How often what was refused is written down.
const MINUTE: Duration = Duration::from_mins(1);
/// How often what has expired is removed.
const SWEEP: Duration = Duration::from_mins(10);
/// How long accepting rests when the process has no descriptor left: others must end first.
const BREATHER: Duration = Duration::from_millis(50);

/// Where connections come in.
pub(super) struct Doors {
    /// People's and programs'.
    pub(super) tcp: Tcp,
    /// How what comes by TCP is decrypted, if it is encrypted.
    pub(super) tls: Option<Tls>,
    /// The local command line's.
    pub(super) socket: UnixListener,
    /// Those that want metrics without a token.
    pub(super) metrics: Option<Tcp>,
}

/// TLS of our own.
pub(super) struct Tls {
    /// For each connection.
    pub(super) accept: Accept,
    /// The certificate.
    pub(super) keeper: Arc<Keeper>,
}

/// Accepts connections until a signal or a takeover, and lets what has begun finish.
pub(super) async fn run(
    started: &Started,
    Doors { tcp, tls, socket, metrics }: Doors,
    signals: &Signals,
    ui: &(impl Fn(Event) + Sync),
) -> Result<(), BootError> {
    let local = TaskTracker::new();
    let outcome = tokio::select! {
        () = accept_tcp(started, &tcp, tls.as_ref()) => Ok(()),
        () = watch(tls.as_ref(), signals) => Ok(()),
        () = accept_local(started, &socket, &local) => Ok(()),
        () = accept_metrics(started, metrics.as_ref(), &local) => Ok(()),
        () = sweep(started) => Ok(()),
        () = tell_denials(started) => Ok(()),
        () = signals.ended() => Ok(()),
        () = started.control.fenced() => Err(BootError::Fenced),
    };
    ui(Event::Draining);
    drop((tcp, socket, metrics));
    started.draining.cancel();
    local.close();
    let finished = async {
        started.edge.drained().await;
        tracing::debug!("connections of browsers have ended");
        local.wait().await;
        tracing::debug!("connections of the command line have ended");
    };
    signals
        .or_cut(async {
            if tokio::time::timeout(FINISH, finished).await.is_err() {
                tracing::warn!("some requests had not finished and were cut off");
            }
            Ok(())
        })
        .await?;
    outcome
}

/// Ends the engine room. Boxes are left as they are, or stopped if that was asked for.
pub(super) async fn down(
    started: Started,
    stop_boxes: bool,
    ui: &(impl Fn(Event) + Sync),
) -> Result<(), BootError> {
    let mut stopped = Ok(());
    if stop_boxes {
        ui(Event::StoppingBoxes);
        stopped = started.control.stop_all().await;
    }
    started.control.drain().await;
    tracing::debug!("the engine room is at rest");
    started.settle().await;
    tracing::debug!("the records are closed");
    stopped.map_err(|e| BootError::broken("stopping the boxes", e))
}

async fn accept_tcp(started: &Started, tcp: &Tcp, tls: Option<&Tls>) {
    let accept = tls.map(|tls| &tls.accept);
    loop {
        match tcp.listener.accept().await {
            Ok((stream, peer)) => {
                let (edge, router) = (started.edge.clone(), started.router.clone());
                let accept = accept.cloned();
                tokio::spawn(async move {
                    match accept {
                        Some(accept) => dispatch::tls(&edge, router, &accept, stream, peer).await,
                        None => dispatch::tcp(&edge, router, stream, peer).await,
                    }
                });
            }
            Err(error) => rest(&error).await,
        }
    }
}

/// Keeps the certificate fresh.
async fn watch(tls: Option<&Tls>, signals: &Signals) {
    match tls {
        Some(tls) => tls.keeper.watch(signals.hangup()).await,
        None => std::future::pending().await,
    }
}

async fn accept_local(started: &Started, socket: &UnixListener, tasks: &TaskTracker) {
    loop {
        match socket.accept().await {
            Ok((stream, _)) if !is_us(&stream) => {
                tracing::warn!("another user's process came to the local socket; refused");
            }
            Ok((stream, _)) => {
                let uid = rustix::process::geteuid().as_raw();
                let (router, drain) = (started.router.clone(), started.draining.clone());
                tasks.spawn(dispatch::local(router, stream, uid, drain));
            }
            Err(error) => rest(&error).await,
        }
    }
}

async fn accept_metrics(started: &Started, tcp: Option<&Tcp>, tasks: &TaskTracker) {
    let Some(tcp) = tcp else { return std::future::pending().await };
    loop {
        match tcp.listener.accept().await {
            Ok((stream, _)) => {
                let (router, drain) = (started.metrics.clone(), started.draining.clone());
                tasks.spawn(dispatch::alone(router, stream, drain));
            }
            Err(error) => rest(&error).await,
        }
    }
}

async fn rest(error: &std::io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(BREATHER).await;
}

async fn tell_denials(started: &Started) {
    let mut tick = tokio::time::interval(MINUTE);
    loop {
        tick.tick().await;
        if let Err(error) = started.tell_denials().await {
            tracing::warn!(%error, "what was refused could not be written down");
        }
    }
}

async fn sweep(started: &Started) {
    let mut tick = tokio::time::interval(SWEEP);
    loop {
        tick.tick().await;
        if let Err(error) = started.sweep().await {
            tracing::warn!(%error, "what has expired could not be removed");
        }
    }
}
