//! A waker between the halves of a connection to an engine. One task drives them, and they wake each
//! other again and again: while the task is at it that is a note to look once more. Only a task
//! that waits is woken.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Looks in a row before other tasks get their turn.
const LOOKS: usize = 4;

/// Rung by whatever the connection waits for.
pub(crate) struct Bell {
    wire: Arc<BellWire>,
    waker: Waker,
}

#[derive(Default)]
struct BellWire {
    rung: AtomicBool,
    waiting: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Wake for BellWire {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // First rung, then asked; `look` first waits, then asks: one of the two sees the other.
        self.rung.store(true, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst)
            && let Some(task) = &*self.task.lock().unwrap_or_else(PoisonError::into_inner)
        {
            task.wake_by_ref();
        }
    }
}

impl Bell {
    pub(crate) fn new() -> Self {
        let wire = Arc::<BellWire>::default();
        Self { waker: Waker::from(wire.clone()), wire }
    }

    /// Looks until there is something, or until nobody rings any more: then the task waits.
    pub(crate) fn look<T>(
        &self,
        task: &mut Context<'_>,
        mut once: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.wire.waiting.store(false, Ordering::SeqCst);
        let mut cx = Context::from_waker(&self.waker);
        for _ in 0..LOOKS {
            self.wire.rung.store(false, Ordering::SeqCst);
            let seen = once(&mut cx);
            if seen.is_ready() {
                return seen;
            }
            if !self.wire.rung.load(Ordering::SeqCst) {
                break;
            }
        }
        self.belongs_to(task.waker());
        self.wire.waiting.store(true, Ordering::SeqCst);
        // Since the last look, or more often than there were looks.
        if self.wire.rung.load(Ordering::SeqCst) {
            task.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn belongs_to(&self, task: &Waker) {
        let mut known = self.wire.task.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.as_ref().is_some_and(|known| known.will_wake(task)) {
            *known = Some(task.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Task(AtomicUsize);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn task() -> (Arc<Task>, Waker) {
        let task = Arc::<Task>::default();
        (task.clone(), Waker::from(task))
    }

    #[test]
    fn who_rings_while_the_task_is_at_it_is_seen_and_wakes_nobody() {
        let (task, waker) = task();
        let bell = Bell::new();
        let mut looks = 0;
        let seen = bell.look(&mut Context::from_waker(&waker), |cx| {
            looks += 1;
            cx.waker().wake_by_ref();
            if looks == 2 { Poll::Ready(()) } else { Poll::Pending }
        });
        assert!(seen.is_ready());
        bell.waker.wake_by_ref();
        assert_eq!(task.0.load(Ordering::SeqCst), 0, "nobody waits");
    }

    #[test]
    fn a_task_that_waits_is_woken_and_the_one_that_looked_last() {
        let bell = Bell::new();
        let ((first, one), (second, two)) = (task(), task());
        for waker in [&one, &two] {
            let mut looks = 0;
            let seen = bell.look(&mut Context::from_waker(waker), |_| {
                looks += 1;
                Poll::<()>::Pending
            });
            assert_eq!((seen, looks), (Poll::Pending, 1));
        }
        bell.waker.wake_by_ref();
        assert_eq!(first.0.load(Ordering::SeqCst), 0);
        assert_eq!(second.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn one_that_rings_for_ever_does_not_hold_the_thread_and_is_not_forgotten() {
        let (task, waker) = task();
        let mut looks = 0;
        let seen = Bell::new().look(&mut Context::from_waker(&waker), |cx| {
            looks += 1;
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        assert_eq!((seen, looks), (Poll::Pending, LOOKS));
        assert_eq!(task.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_ring_from_another_thread_is_never_lost() {
        for _ in 0..2_000 {
            let (task, waker) = task();
            let bell = Bell::new();
            let done = Arc::<AtomicBool>::default();
            let (ready, ringer) = (done.clone(), bell.waker.clone());
            let other = std::thread::spawn(move || {
                ready.store(true, Ordering::SeqCst);
                ringer.wake();
            });
            let look = || {
                bell.look(&mut Context::from_waker(&waker), |_| {
                    if done.load(Ordering::SeqCst) { Poll::Ready(()) } else { Poll::Pending }
                })
            };
            let seen = look();
            other.join().unwrap();
            assert!(seen.is_ready() || task.0.load(Ordering::SeqCst) > 0);
        }
    }
}
