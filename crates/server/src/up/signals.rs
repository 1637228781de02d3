//! Signals: the first asks for an orderly end, the second for one at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::error::BootError;

/// Listens as long as it lives.
pub(super) struct Signals {
    first: CancellationToken,
    second: CancellationToken,
    _task: AbortOnDropHandle<()>,
}

impl Signals {
    /// SIGINT, SIGTERM, SIGHUP (the terminal is gone), and the caller's own wish.
    pub(super) fn listen(stop: CancellationToken) -> Result<Self, BootError> {
        let hear = |kind| signal(kind).map_err(|e| BootError::broken("listening to signals", e));
        let mut interrupt = hear(SignalKind::interrupt())?;
        let mut terminate = hear(SignalKind::terminate())?;
        let mut hangup = hear(SignalKind::hangup())?;
        let first = CancellationToken::new();
        let second = CancellationToken::new();
        let (one, two) = (first.clone(), second.clone());
        let task = tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
                () = stop.cancelled() => {}
            }
            one.cancel();
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            two.cancel();
        });
        Ok(Self { first, second, _task: AbortOnDropHandle::new(task) })
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
