//! Signals: the first asks for an orderly end, the second for one at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::error::BootError;

/// Listens as long as it lives.
pub(super) struct Signals {
    first: CancellationToken,
    second: CancellationToken,
    /// Whether SIGHUP ends the platform.
    hangup_ends: Arc<AtomicBool>,
    hangup: Arc<Notify>,
    _task: AbortOnDropHandle<()>,
}

impl Signals {
    /// SIGINT, SIGTERM, SIGHUP (the terminal is gone), and the caller's own wish.
    /// SIGHUP may come to mean that files are to be read again: [`Signals::hangup_is_no_end`].
    pub(super) fn listen(stop: CancellationToken) -> Result<Self, BootError> {
        let hear = |kind| signal(kind).map_err(|e| BootError::broken("listening to signals", e));
        let mut interrupt = hear(SignalKind::interrupt())?;
        let mut terminate = hear(SignalKind::terminate())?;
        let mut hangup = hear(SignalKind::hangup())?;
        let first = CancellationToken::new();
        let second = CancellationToken::new();
        let (one, two) = (first.clone(), second.clone());
        let (hangup_ends, hung_up) = (Arc::new(AtomicBool::new(true)), Arc::new(Notify::new()));
        let (ends, tell) = (hangup_ends.clone(), hung_up.clone());
        let task = tokio::spawn(async move {
            let hung_up = async {
                while hangup.recv().await.is_some() && !ends.load(Ordering::Acquire) {
                    tell.notify_one();
                }
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                () = hung_up => {}
                () = stop.cancelled() => {}
            }
            one.cancel();
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            two.cancel();
        });
        let _task = AbortOnDropHandle::new(task);
        Ok(Self { first, second, hangup_ends, hangup: hung_up, _task })
    }

    /// From now on SIGHUP ends nothing: it is told by [`Signals::hangup`].
    pub(super) fn hangup_is_no_end(&self) {
        self.hangup_ends.store(false, Ordering::Release);
    }

    /// Told of SIGHUP.
    pub(super) fn hangup(&self) -> &Notify {
        &self.hangup
    }

    /// Resolves when the platform is to end.
    pub(super) async fn ended(&self) {
        self.first.cancelled().await;
    }

    /// `work`, unless it is to end at once meanwhile: while starting by the first signal, while
    /// ending by the second.
    pub(super) async fn or_cut<T>(
        &self,
        work: impl Future<Output = Result<T, BootError>>,
    ) -> Result<T, BootError> {
        let enough = if self.first.is_cancelled() { &self.second } else { &self.first };
        enough.run_until_cancelled(work).await.unwrap_or(Err(BootError::Cut))
    }
}
