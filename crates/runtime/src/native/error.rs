//! Turning causes into [`RuntimeError`]s.

use smartbox_core::sandbox::port::RuntimeError;

/// The machine failed while doing this.
pub(crate) fn broken(doing: &'static str, error: std::io::Error) -> RuntimeError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => RuntimeError::Full,
        _ => RuntimeError::Broken { doing, source: Box::new(error) },
    }
}

/// The machine failed, in words.
pub(crate) fn broken_by(doing: &'static str, why: impl Into<String>) -> RuntimeError {
    RuntimeError::Broken { doing, source: why.into().into() }
}

/// Runs what may block on a thread for that.
pub(crate) async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, RuntimeError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(|e| broken(doing, e)),
        Err(e) => Err(broken(doing, std::io::Error::other(e))),
    }
}
