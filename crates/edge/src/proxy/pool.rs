//! Idle connections to engines, per box. Kept for less than the 5 s after which an engine closes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use smartbox_core::id::SmartboxId;
use tokio::time::Instant;

use crate::proxy::link::Link;

const KEEP: Duration = Duration::from_millis(3_500);
const PER_BOX: usize = 64;

type Idle = HashMap<SmartboxId, Vec<(Instant, Box<Link>)>>;

#[derive(Default)]
pub(crate) struct Pool {
    idle: Mutex<Idle>,
    reaping: AtomicBool,
}

impl Pool {
    /// A connection to this box that is still good, the one used last.
    pub(crate) fn take(&self, id: &SmartboxId) -> Option<Box<Link>> {
        loop {
            let (since, link) = self.lock().get_mut(id)?.pop()?;
            if since.elapsed() < KEEP && !link.over() {
                return Some(link);
            }
        }
    }

    /// Keeps a connection whose response has been read to its end.
    pub(crate) fn put(self: &Arc<Self>, id: &SmartboxId, link: Box<Link>) {
        let now = Instant::now();
        {
            let mut idle = self.lock();
            match idle.get_mut(id) {
                Some(links) if links.len() >= PER_BOX => return,
                Some(links) => links.push((now, link)),
                None => {
                    idle.insert(id.clone(), vec![(now, link)]);
                }
            }
        }
        self.reap();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops connections as they get old, as long as there are any.
    fn reap(self: &Arc<Self>) {
        if self.reaping.swap(true, Ordering::AcqRel) {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let pool = Arc::downgrade(self);
        runtime.spawn(async move {
            let mut tick = tokio::time::interval(KEEP / 2);
            loop {
                tick.tick().await;
                if Self::sweep(&pool) {
                    return;
                }
            }
        });
    }

    /// Whether the sweeper's work is done.
    fn sweep(pool: &Weak<Self>) -> bool {
        let Some(pool) = pool.upgrade() else { return true };
        let mut idle = pool.lock();
        idle.retain(|_, links| {
            links.retain(|(since, _)| since.elapsed() < KEEP);
            !links.is_empty()
        });
        let done = idle.is_empty();
        if done {
            pool.reaping.store(false, Ordering::Release);
        }
        done
    }
}
