//! Holding a box still, and letting it go whatever happens.

use std::time::{Duration, Instant};

use smartbox_core::snapshot::port::{SnapshotError, Still};
use tokio::runtime::Handle;

/// Does `work` while nothing in the box runs, and says for how long it did not. The box is let go after
/// every attempt to hold it, and if `work` panics.
pub(crate) fn held<T>(
    still: &dyn Still,
    runtime: &Handle,
    work: impl FnOnce() -> Result<T, SnapshotError>,
) -> Result<(T, Duration), SnapshotError> {
    let mut grip = Grip { still, runtime, held: true };
    let broken = |doing| move |source| SnapshotError::Broken { doing, source };
    if let Err(error) = runtime.block_on(still.hold()) {
        // That it was not held says more than that it could not be let go.
        let _ = grip.release();
        return Err(broken("holding the smartbox still")(error));
    }
    let since = Instant::now();
    let done = work();
    let released = grip.release().map_err(broken("letting the smartbox go on"));
    let held = since.elapsed();
    let done = done?;
    released.map(|()| (done, held))
}

struct Grip<'a> {
    still: &'a dyn Still,
    runtime: &'a Handle,
    held: bool,
}

impl Grip<'_> {
    fn release(&mut self) -> Result<(), smartbox_core::snapshot::port::Cause> {
        self.held = false;
        self.runtime.block_on(self.still.release())
    }
}

impl Drop for Grip<'_> {
    fn drop(&mut self) {
        if self.held {
            let _ = self.release();
        }
    }
}
