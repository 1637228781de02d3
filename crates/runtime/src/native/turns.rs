//! One look at a box at a time, and none that waits for another box's.

use std::collections::HashMap;

use smartbox_core::id::SmartboxId;
use tokio::task::JoinHandle;

/// The looks that go on.
#[derive(Default)]
pub(super) struct Turns(HashMap<SmartboxId, JoinHandle<()>>);

impl Turns {
    /// Begins a look, unless the one before goes on: how long one takes is for the box to say.
    pub(super) fn begin(
        &mut self,
        id: &SmartboxId,
        look: impl Future<Output = ()> + Send + 'static,
    ) {
        self.0.retain(|_, look| !look.is_finished());
        if !self.0.contains_key(id) {
            self.0.insert(id.clone(), tokio::spawn(look));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Notify;

    #[tokio::test]
    async fn a_look_without_end_is_one_and_holds_nobody_up() {
        let endless: SmartboxId = "box_00000000000000000001".parse().unwrap();
        let other: SmartboxId = "box_00000000000000000002".parse().unwrap();
        let mut turns = Turns::default();
        let (begun, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        for _ in 0..5 {
            let count = begun.clone();
            turns.begin(&endless, async move {
                count.fetch_add(1, Ordering::SeqCst);
                std::future::pending::<()>().await;
            });
            let tell = seen.clone();
            turns.begin(&other, async move { tell.notify_one() });
            seen.notified().await;
            while turns.0.get(&other).is_some_and(|look| !look.is_finished()) {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(begun.load(Ordering::SeqCst), 1);
    }
}
