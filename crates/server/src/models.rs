//! Which model providers can answer, and what a person is told when none can.

use smartbox_core::id::AccountId;
use smartbox_core::secret::Scope;
use smartbox_core::store::{self, Store, StoreError};

/// What the keys at hand allow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ready {
    /// Providers that have what they need, by name; `demo` last.
    pub models: Vec<String>,
    /// What is missing for real answers, in plain words.
    pub missing: Vec<String>,
}

/// Looks at the environment's keys and the vault's. Opens no secret.
pub async fn ready(
    store: &dyn Store,
    account: &AccountId,
    providers: &[(String, Option<String>)],
    given: &[String],
) -> Result<Ready, StoreError> {
    let account = account.clone();
    let kept = store::read(store, |tx| {
        Box::pin(async move {
            let mut kept = tx.secrets().list(Scope::Account(account)).await?;
            kept.extend(tx.secrets().list(Scope::Platform).await?);
            Ok(kept)
        })
    })
    .await?;
    let has = |secret: &String| given.contains(secret) || kept.iter().any(|i| i.name == *secret);
    let able = |secret: &Option<String>| secret.as_ref().is_none_or(has);
    let mut models: Vec<String> =
        providers.iter().filter(|(_, s)| able(s)).map(|(name, _)| name.clone()).collect();
    let mut missing = Vec::new();
    let wanted = providers.iter().find_map(|(_, secret)| secret.as_deref());
    if let (true, Some(wanted)) = (models.is_empty(), wanted) {
        missing.push(format!(
            "a model key; the built-in demo model answers until there is one. Give one with \
             `smartbox secret set {wanted}`, or start `smartbox up` with {wanted} in its environment"
        ));
    }
    models.push("demo".into());
    Ok(Ready { models, missing })
}
