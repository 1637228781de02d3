//! Binding secrets: from then on a box holds a stand-in, and the value goes only where it is bound.

use smartbox_core::BoxFuture;
use smartbox_core::audit::Act;
use smartbox_core::egress::port::Rules as _;
use smartbox_core::egress::{Binding, Bound, Held};
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::secret::Scope;
use smartbox_core::store::{self, StoreError, Tx};

use super::environment::is_taken;
use super::services::Service;
use crate::control::Control;
use crate::error::ControlError;
use crate::parts::Actor;

/// Hosts that one secret may be bound to.
const MOST: usize = 50;
/// Secrets of one account or box that may be bound: each is looked for in each answer of its hosts.
const MOST_BOUND: usize = 32;

/// A stand-in that a box holds.
#[derive(Debug, Clone)]
pub struct Standin {
    /// The stand-in, and the name of the secret.
    pub held: Held,
    /// Whose secret it is.
    pub scope: Scope,
    /// Where it may go.
    pub bindings: Vec<Binding>,
}

impl Control {
    /// Binds a secret that is there, replacing how it was bound. Running programs learn of a new
    /// stand-in when they start again; where it may go counts at once.
    pub async fn bind_secret(
        &self,
        actor: &Actor,
        account: &AccountId,
        (scope, name): (Scope, String),
        bound: Bound,
    ) -> Result<(), ControlError> {
        check(&name, &bound)?;
        let act = self.act((actor, account), "secret.bind", its(&scope), &name);
        let work = self.parts.book.change(
            move |tx| {
                Box::pin(async move {
                    let known = tx.bindings().list(scope.clone()).await?;
                    if known.len() >= MOST_BOUND && !known.iter().any(|(known, _)| *known == name) {
                        return Ok(false);
                    }
                    tx.bindings().set(scope, name, bound).await?;
                    tx.audit().append(act).await?;
                    Ok(true)
                })
            },
            |bound| *bound,
        );
        if work.await.inspect_err(|error| self.heed(error))? {
            return Ok(());
        }
        Err(ControlError::Refused {
            why: format!("{MOST_BOUND} secrets are bound already"),
            hint: "unbind one that is not needed: smartbox secret ls".into(),
        })
    }

    /// Unbinds a secret: its stand-in is worth nothing any more.
    pub async fn unbind_secret(
        &self,
        actor: &Actor,
        account: &AccountId,
        (scope, name): (Scope, String),
    ) -> Result<(), ControlError> {
        let act = self.act((actor, account), "secret.unbind", its(&scope), &name);
        let work = self.parts.book.change(
            move |tx| {
                Box::pin(async move {
                    let gone = tx.bindings().remove(scope, name).await?;
                    if gone {
                        tx.audit().append(act).await?;
                    }
                    Ok(gone)
                })
            },
            |gone| *gone,
        );
        let gone = work.await.inspect_err(|error| self.heed(error))?;
        if gone { Ok(()) } else { Err(ControlError::Missing { what: "binding" }) }
    }

    /// How the secrets of a scope are bound, by name.
    pub async fn bindings(&self, scope: Scope) -> Result<Vec<(String, Bound)>, ControlError> {
        Ok(store::read(&*self.parts.store, move |tx| {
            Box::pin(async move { tx.bindings().list(scope).await })
        })
        .await?)
    }

    /// What a box holds in place of secrets.
    pub async fn standins(&self, id: &SmartboxId) -> Result<Vec<Standin>, ControlError> {
        let standins = self.parts.book.standing(id).await?.standins;
        let of = |held: &Held| {
            let scope = standins.scopes.get(&held.secret)?.clone();
            let its = |one: &&Binding| one.secret == held.secret;
            let bindings = standins.bindings.iter().filter(its).cloned().collect();
            Some(Standin { held: held.clone(), scope, bindings })
        };
        Ok(standins.held.iter().filter_map(of).collect())
    }

    /// Services whose keys are known to be sent in some way.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.parts.book.services.iter()
    }

    /// Changes secrets themselves: another one of a name may count then. `changed` says whether it did.
    pub async fn change_secrets<T: Send + 'static>(
        &self,
        work: impl for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, StoreError>>
        + Send
        + 'static,
        changed: fn(&T) -> bool,
    ) -> Result<T, StoreError> {
        self.parts.book.change(work, changed).await
    }

    /// What is written into the chain of the account.
    pub(super) fn act(
        &self,
        (actor, account): (&Actor, &AccountId),
        action: &str,
        smartbox: Option<&SmartboxId>,
        detail: &str,
    ) -> Act {
        Act {
            account: account.clone(),
            actor: actor.0.clone(),
            action: action.to_owned(),
            smartbox: smartbox.cloned(),
            detail: detail.chars().take(200).collect(),
            at: self.parts.clock.now(),
        }
    }
}

/// The box that a secret is of, if it is of one.
fn its(scope: &Scope) -> Option<&SmartboxId> {
    if let Scope::Smartbox(id) = scope { Some(id) } else { None }
}

fn check(name: &str, bound: &Bound) -> Result<(), ControlError> {
    let refused = |why: String, hint: &str| ControlError::Refused { why, hint: hint.to_owned() };
    if is_taken(name) {
        let why = format!("programs read {name} for something else, and would get the stand-in");
        return Err(refused(why, "keep the secret under another name"));
    }
    if bound.bindings.is_empty() || bound.bindings.len() > MOST {
        let hint =
            "say where it may go, like --to api.example.com --header 'authorization: Bearer {}'";
        return Err(refused(format!("a secret is bound to 1 to {MOST} hosts"), hint));
    }
    for binding in &bound.bindings {
        binding.check().map_err(|bad| refused(bad.to_string(), "correct where it may go"))?;
    }
    Ok(())
}
