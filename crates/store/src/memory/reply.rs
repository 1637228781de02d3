//! Replies in memory: wiped when dropped, never printed, not sealed.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::reply::port::Replies;
use smartbox_core::reply::{Asked, Before, KEPT, MAX_KEYS};
use smartbox_core::secret::Secret;
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::records::Records;

/// A key that was taken.
#[derive(Clone)]
pub(super) struct Taken {
    digest: String,
    run: String,
    at: Timestamp,
    /// The reply, once there is one, unless it was too long.
    done: Option<Option<Arc<Secret<String>>>>,
}

impl Records<'_> {
    fn drop_old_replies(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let replies = &mut self.change()?.replies;
        if replies.values().any(|taken| now.since(taken.at) > KEPT) {
            Arc::make_mut(replies).retain(|_, taken| now.since(taken.at) <= KEPT);
        }
        Ok(())
    }

    fn begin_reply(
        &mut self,
        asked: Asked,
        digest: String,
        run: String,
        now: Timestamp,
    ) -> Result<Before, StoreError> {
        self.drop_old_replies(now)?;
        if let Some(taken) = self.state.replies.get(&asked) {
            return Ok(match &taken.done {
                _ if taken.digest != digest => Before::Other,
                None => Before::Doing { run: taken.run.clone() },
                Some(None) => Before::TooLong,
                Some(Some(reply)) => Before::Done(Secret::clone(reply)),
            });
        }
        self.need_account(&asked.account, "account")?;
        let replies = Arc::make_mut(&mut self.change()?.replies);
        let mut ages: Vec<Timestamp> = replies
            .iter()
            .filter(|(other, _)| other.account == asked.account)
            .map(|(_, taken)| taken.at)
            .collect();
        ages.sort_unstable_by(|a, b| b.cmp(a));
        if let Some(oldest) = ages.get(MAX_KEYS as usize - 1) {
            replies.retain(|other, taken| other.account != asked.account || taken.at > *oldest);
        }
        let taken = Taken { digest, run, at: now, done: None };
        replies.insert(asked, taken);
        Ok(Before::New)
    }

    fn keep_reply(
        &mut self,
        asked: &Asked,
        reply: Option<Secret<String>>,
    ) -> Result<(), StoreError> {
        if let Some(taken) = Arc::make_mut(&mut self.change()?.replies).get_mut(asked) {
            taken.done = Some(reply.map(Arc::new));
        }
        Ok(())
    }

    fn forget_reply(&mut self, asked: &Asked) -> Result<(), StoreError> {
        Arc::make_mut(&mut self.change()?.replies).remove(asked);
        Ok(())
    }
}

impl Replies for Records<'_> {
    fn begin(
        &mut self,
        asked: Asked,
        digest: String,
        run: String,
        now: Timestamp,
    ) -> BoxFuture<'_, Result<Before, StoreError>> {
        Box::pin(ready(self.begin_reply(asked, digest, run, now)))
    }

    fn keep(
        &mut self,
        asked: Asked,
        reply: Option<Secret<String>>,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.keep_reply(&asked, reply)))
    }

    fn sweep(&mut self, now: Timestamp) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.drop_old_replies(now)))
    }

    fn forget(&mut self, asked: Asked) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.forget_reply(&asked)))
    }
}
