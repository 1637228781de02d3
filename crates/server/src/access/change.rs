//! Changes of what people may.

use smartbox_core::BoxFuture;
use smartbox_core::store::{self, StoreError, Tx};
use tokio::sync::oneshot;

use super::Access;

impl Access {
    /// Changes the records, as [`Access::to_the_end`] does it.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        work: impl for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, StoreError>>
        + Send
        + 'static,
    ) -> Result<T, StoreError> {
        self.change_if(work, |_| true).await
    }

    /// The same, where somebody may less afterwards only if so. What failed may have changed the records.
    pub(super) async fn change_if<T: Send + 'static>(
        &self,
        work: impl for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, StoreError>>
        + Send
        + 'static,
        less: impl FnOnce(&T) -> bool + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.store.clone();
        let less = |came: &Result<T, StoreError>| came.as_ref().map_or(true, less);
        self.through(async move { store::write(&*store, work).await }, less).await?
    }

    /// Does something after which somebody may less, and forgets then what is remembered of sessions,
    /// whatever came of it: what failed may have changed the records all the same. It is a task of its
    /// own, since whoever asked for it may be gone before it is done, and then nobody would forget.
    pub async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.through(work, |_| true).await
    }

    async fn through<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
        less: impl FnOnce(&T) -> bool + Send + 'static,
    ) -> Result<T, StoreError> {
        let (done, outcome) = oneshot::channel();
        let access = self.me.clone();
        tokio::spawn(async move {
            let came = work.await;
            if less(&came)
                && let Some(access) = access.upgrade()
            {
                access.forget();
            }
            // Nobody may be there to be told.
            let _ = done.send(came);
        });
        outcome.await.map_err(|lost| StoreError::Broken(Box::new(lost)))
    }
}
