//! Ctrl-C and its kin: the work is dropped, which closes its connection, and the platform cancels.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::CliError;

/// Listens for the signals by which a person ends a command.
pub(crate) struct Interrupt {
    signals: Vec<(i32, Signal)>,
}

impl Interrupt {
    /// From now on these signals do not kill the process.
    pub(crate) fn listen() -> Self {
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
            SignalKind::quit(),
        ];
        let signals = kinds
            .into_iter()
            .filter_map(|kind| Some((kind.as_raw_value(), signal(kind).ok()?)))
            .collect();
        Self { signals }
    }

    /// The number of the next one.
    pub(crate) async fn wait(&mut self) -> i32 {
        std::future::poll_fn(|cx| {
            for (number, signal) in &mut self.signals {
                if signal.poll_recv(cx).is_ready() {
                    return std::task::Poll::Ready(*number);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

/// The work, unless a signal comes first.
pub(crate) async fn or_interrupt<T>(
    work: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    let mut interrupt = Interrupt::listen();
    tokio::select! {
        done = work => done,
        signal = interrupt.wait() => Err(CliError::Interrupted(signal)),
    }
}
