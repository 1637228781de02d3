//! Secrets in memory: wiped when dropped, never printed, not sealed.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::secret::port::Secrets;
use smartbox_core::secret::{Scope, Secret, SecretInfo, SecretVersion, VERSIONS};
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::records::Records;
use super::state::Kept;
use crate::release::word;

impl Records<'_> {
    fn set_secret(
        &mut self,
        scope: Scope,
        name: String,
        value: Secret<String>,
    ) -> Result<u64, StoreError> {
        self.change()?;
        match &scope {
            Scope::Platform => {}
            Scope::Account(id) => self.need_account(id, "account")?,
            Scope::Smartbox(id) => self.need_box(id, "smartbox")?,
        }
        let names = Arc::make_mut(&mut self.state.secrets).entry(scope).or_default();
        let before = names.remove(&name);
        let revision = before.as_ref().map_or(0, |before| before.revision) + 1;
        let (mut older, bound) = match before {
            None => (Vec::new(), None),
            Some(Kept { value, updated, revision, older: mut all, bound }) => {
                all.push((revision, updated, value));
                (all, bound)
            }
        };
        let most = VERSIONS as usize - 1;
        older.drain(..older.len().saturating_sub(most));
        let kept = Kept { value: Arc::new(value), updated: self.now, revision, older, bound };
        names.insert(name, kept);
        Ok(revision)
    }

    pub(super) fn open_secret(&self, scope: &Scope, name: &str) -> Option<Secret<String>> {
        self.state.secrets.get(scope)?.get(name).map(|kept| Secret::clone(&kept.value))
    }
}

impl Secrets for Records<'_> {
    fn set(
        &mut self,
        scope: Scope,
        name: String,
        value: Secret<String>,
    ) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(ready(self.set_secret(scope, name, value)))
    }

    fn open(
        &mut self,
        scope: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(ready(Ok(self.open_secret(&scope, &name))))
    }

    fn list(&mut self, scope: Scope) -> BoxFuture<'_, Result<Vec<SecretInfo>, StoreError>> {
        let info = |(name, kept): (&String, &Kept)| SecretInfo {
            name: name.clone(),
            scope: word(&scope).to_owned(),
            updated: kept.updated,
            revision: kept.revision,
        };
        let of_scope = self.state.secrets.get(&scope);
        let list = of_scope.map(|names| names.iter().map(info).collect()).unwrap_or_default();
        Box::pin(ready(Ok(list)))
    }

    fn versions(
        &mut self,
        scope: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Vec<SecretVersion>, StoreError>> {
        let kept = self.state.secrets.get(&scope).and_then(|names| names.get(&name));
        let version = |revision, updated, current| SecretVersion { revision, updated, current };
        let all = kept.into_iter().flat_map(|kept| {
            let older = kept.older.iter().rev();
            let older = older.map(move |(revision, at, _)| version(*revision, *at, false));
            std::iter::once(version(kept.revision, kept.updated, true)).chain(older)
        });
        Box::pin(ready(Ok(all.collect())))
    }

    fn roll_back(
        &mut self,
        scope: Scope,
        name: String,
        to: u64,
    ) -> BoxFuture<'_, Result<u64, StoreError>> {
        let kept = self.state.secrets.get(&scope).and_then(|names| names.get(&name));
        let value = kept.and_then(|kept| {
            let older = kept.older.iter().find(|(revision, ..)| *revision == to);
            let present = (kept.revision == to).then(|| kept.value.clone());
            present.or(older.map(|(_, _, value)| value.clone()))
        });
        let set = match value {
            Some(value) => self.set_secret(scope, name, Secret::clone(&value)),
            None => Err(StoreError::Missing { what: "version of the secret" }),
        };
        Box::pin(ready(set))
    }

    fn remove(&mut self, scope: Scope, name: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(ready(self.change().map(|state| {
            let secrets = Arc::make_mut(&mut state.secrets);
            secrets.get_mut(&scope).is_some_and(|names| names.remove(&name).is_some())
        })))
    }

    fn sweep_releases(&mut self, before: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(ready(self.change().map(|state| {
            let releases = Arc::make_mut(&mut state.releases);
            let many = releases.len();
            releases.retain(|(_, minute, ..), _| *minute >= before);
            (many - releases.len()) as u64
        })))
    }
}
