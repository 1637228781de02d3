//! How a broker's request for a secret is answered, the same in every driver.

use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::store::{self, Store, StoreError};
use smartbox_core::time::Timestamp;

/// How often a secret was released to a box within one minute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Released {
    /// The beginning of the minute.
    pub minute: Timestamp,
    /// For which box; it may be gone by now.
    pub smartbox: SmartboxId,
    /// The secret's name.
    pub name: String,
    /// Whose value it was: `platform`, or the id of an account or box.
    pub scope: String,
    /// How often.
    pub count: u64,
}

/// Where to look, in this order: the box's own, its account's, the platform's; or in that one of them
/// which is meant. Another box's and another account's are none of them.
pub(crate) fn order(id: &SmartboxId, account: &AccountId, of: Option<&Scope>) -> Vec<Scope> {
    let all = [Scope::Smartbox(id.clone()), Scope::Account(account.clone()), Scope::Platform];
    all.into_iter().filter(|scope| of.is_none_or(|of| of == scope)).collect()
}

/// Opens a value of exactly this scope, which is the box's own or its account's.
pub(crate) async fn peek(
    store: &dyn Store,
    id: SmartboxId,
    scope: Scope,
    name: String,
) -> Result<Option<Secret<String>>, StoreError> {
    store::read(store, move |tx| {
        Box::pin(async move {
            let missing = StoreError::Missing { what: "smartbox" };
            let row = tx.boxes().get(id).await?.ok_or(missing)?;
            if order(&row.id, &row.account, Some(&scope)).is_empty() {
                return Ok(None);
            }
            tx.secrets().open(scope, name).await
        })
    })
    .await
}

/// The scope as a word in records.
pub(crate) fn word(scope: &Scope) -> &str {
    match scope {
        Scope::Platform => "platform",
        Scope::Account(id) => id.as_str(),
        Scope::Smartbox(id) => id.as_str(),
    }
}

/// The beginning of the minute that `at` is in.
pub(crate) fn minute(at: Timestamp) -> Timestamp {
    Timestamp(at.0 - at.0.rem_euclid(60_000))
}

/// The largest count of tokens or milliseconds kept of one call. No real call comes near it; a
/// hostile report stays small enough that millions of them can be added up.
pub(crate) fn sane(count: u64) -> u64 {
    count.min(1 << 40)
}
