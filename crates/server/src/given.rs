//! Secrets that the environment gives are released beside the vault's and never written to disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::port::Release;
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::store::StoreError;

/// The vault, and behind it the environment: what a person set with `smartbox secret` was meant
/// for this platform, a variable may merely lie about.
pub struct Releases {
    vault: Arc<dyn Release>,
    given: BTreeMap<String, Secret<String>>,
}

impl Releases {
    /// Over the vault, with these of the environment.
    pub fn new(vault: Arc<dyn Release>, given: BTreeMap<String, Secret<String>>) -> Self {
        Self { vault, given }
    }
}

impl Release for Releases {
    fn release(
        &self,
        id: SmartboxId,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        Box::pin(async move {
            match self.vault.release(id, name.clone()).await? {
                Some(kept) => Ok(Some(kept)),
                None => Ok(self.given.get(&name).cloned()),
            }
        })
    }

    fn release_of(
        &self,
        id: SmartboxId,
        scope: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        // What the environment gives is nobody's but the platform's own.
        self.vault.release_of(id, scope, name)
    }

    fn peek_of(
        &self,
        id: SmartboxId,
        scope: Scope,
        name: String,
    ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
        self.vault.peek_of(id, scope, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Vault(Option<&'static str>);
    impl Release for Vault {
        fn release(
            &self,
            _: SmartboxId,
            _: String,
        ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
            let value = self.0.map(|value| Secret::new(value.to_owned()));
            Box::pin(async move { Ok(value) })
        }
        fn release_of(
            &self,
            id: SmartboxId,
            _: Scope,
            name: String,
        ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
            self.release(id, name)
        }

        fn peek_of(
            &self,
            id: SmartboxId,
            _: Scope,
            name: String,
        ) -> BoxFuture<'_, Result<Option<Secret<String>>, StoreError>> {
            self.release(id, name)
        }
    }

    #[tokio::test]
    async fn the_vault_comes_first_and_the_environment_second() {
        let given = BTreeMap::from([("KEY".to_owned(), Secret::new("given".to_owned()))]);
        let id: SmartboxId = "box_00000000000000000001".parse().unwrap();
        for (kept, name, want) in [
            (Some("kept"), "KEY", Some("kept")),
            (None, "KEY", Some("given")),
            (None, "OTHER", None),
        ] {
            let releases = Releases::new(Arc::new(Vault(kept)), given.clone());
            let got = releases.release(id.clone(), name.into()).await.unwrap();
            assert_eq!(got.map(|s| s.expose().clone()).as_deref(), want);
        }
        let releases = Releases::new(Arc::new(Vault(None)), given);
        let mine = releases.release_of(id.clone(), Scope::Smartbox(id), "KEY".into()).await;
        assert!(mine.unwrap().is_none(), "what the environment gives is no box's own");
    }
}
