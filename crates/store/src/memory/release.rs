//! Releasing secrets to brokers, counted as on disk.

use std::sync::{Arc, Mutex, PoisonError};

use smartbox_core::BoxFuture;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::secret::port::Release;
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::Memory;
use super::records::Records;
use crate::release::{self, Released, word};

impl Release for Memory {
    fn release(
        &self,
        id: SmartboxId,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(self.release_from(id, None, name))
    }

    fn release_of(
        &self,
        id: SmartboxId,
        scope: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(self.release_from(id, Some(scope), name))
    }

    fn peek_of(
        &self,
        id: SmartboxId,
        scope: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(release::peek(self, id, scope, name))
    }
}

impl Memory {
    async fn release_from(
        &self,
        id: SmartboxId,
        of: Option<Scope>,
        name: String,
    ) -> Result<Option<Secret<String>>, StoreError> {
        let slot = Arc::new(Mutex::new(None));
        let inner = slot.clone();
        self.commit(Box::new(move |records| {
            Box::pin(async move {
                let value = records.release(&id, of.as_ref(), &name)?;
                *inner.lock().unwrap_or_else(PoisonError::into_inner) = value;
                Ok(())
            })
        }))
        .await?;
        let value = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(value)
    }
}

impl Records<'_> {
    fn release(
        &mut self,
        id: &SmartboxId,
        of: Option<&Scope>,
        name: &str,
    ) -> Result<Option<Secret<String>>, StoreError> {
        let row = self.state.boxes.get(id).ok_or(StoreError::Missing { what: "smartbox" })?;
        let (id, account) = (row.id.clone(), row.account.clone());
        for scope in release::order(&id, &account, of) {
            let Some(value) = self.open_secret(&scope, name) else { continue };
            let minute = release::minute(self.now);
            let key = (account, minute, id, name.to_owned(), word(&scope).to_owned());
            *Arc::make_mut(&mut self.change()?.releases).entry(key).or_default() += 1;
            return Ok(Some(value));
        }
        Ok(None)
    }
}

impl Memory {
    /// How often secrets were released to an account's boxes since a time, oldest first.
    pub fn releases(&self, account: &AccountId, since: Timestamp) -> Vec<Released> {
        let since = release::minute(since);
        let state = self.view();
        let counts =
            state.releases.iter().filter(|((of, minute, ..), _)| of == account && *minute >= since);
        counts
            .map(|((_, minute, smartbox, name, scope), count)| Released {
                minute: *minute,
                smartbox: smartbox.clone(),
                name: name.clone(),
                scope: scope.clone(),
                count: *count,
            })
            .collect()
    }
}
