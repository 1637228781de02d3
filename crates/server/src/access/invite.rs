//! Invitations: a link that signs one browser in, once, and lets it in with exactly so much.

use smartbox_core::secret::Secret;
use smartbox_core::store::{self, StoreError};
use smartbox_core::token::Purpose;

use super::token::caller;
use super::{Access, Caller, hash};

/// Who comes by an invitation.
#[derive(Debug)]
pub struct Accepted {
    /// Whom the browser acts for, and how much it may.
    pub caller: Caller,
    /// What the browser is to be called; empty if nobody said.
    pub name: String,
}

impl Access {
    /// Burns an invitation: of two that use it, one comes in. `None` if there is none, or whoever made it
    /// may come in no more themselves; then it stays as it is.
    pub async fn accept(&self, value: &Secret<String>) -> Result<Option<Accepted>, StoreError> {
        let (hash, now) = (hash(value.expose()), self.clock.now());
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                let found = tx.tokens().find(hash.clone(), now).await?;
                let Some(token) = found.filter(|token| token.purpose == Purpose::Invite) else {
                    return Ok(None);
                };
                let name = token.name.clone();
                let Some((caller, _)) = caller(tx, token, now).await? else { return Ok(None) };
                tx.tokens().burn(hash, now).await?;
                Ok(Some(Accepted { caller, name }))
            })
        })
        .await
    }
}
