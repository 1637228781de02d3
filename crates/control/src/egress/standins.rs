//! What a box holds in place of secrets: put together from what its account and it have bound.

use std::collections::{BTreeMap, BTreeSet};

use smartbox_core::egress::{Bound, Held, Placeholder, Shape, Standins};
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Scope;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::store::{self, StoreError, Tx};

use super::book::Book;

/// The secrets that count for one box and are bound: whose they are, and how.
type Meant = BTreeMap<String, (Scope, Bound)>;

impl Book {
    /// What a box holds in place of secrets. For those that it has nothing for yet it is given something.
    pub(super) async fn standins(&self, row: &Smartbox) -> Result<Standins, StoreError> {
        let scopes = [Scope::Smartbox(row.id.clone()), Scope::Account(row.account.clone())];
        let id = row.id.clone();
        let (meant, held) = store::read(&*self.store, move |tx| {
            Box::pin(async move { Ok((meant(tx, scopes).await?, tx.bindings().held(id).await?)) })
        })
        .await?;
        let mut held = kept(held);
        if !meant.iter().all(|(name, (_, bound))| fits(&held, name, bound)) {
            held = self.give(&row.id, &meant).await?;
        }
        let mut standins = Standins::default();
        for (name, (scope, bound)) in meant {
            let Some((one, _)) = held.remove(&name) else { continue };
            standins.held.push(one);
            standins.bindings.extend(bound.bindings);
            standins.scopes.insert(name, scope);
        }
        Ok(standins)
    }

    /// Gives a box what it has not. Of two that do so at once the second finds what the first gave.
    async fn give(&self, id: &SmartboxId, meant: &Meant) -> Result<Holding, StoreError> {
        let new = |(name, (_, bound)): (&String, &(Scope, Bound))| {
            let placeholder = Placeholder::generate(&*self.entropy, &bound.shape);
            (Held { placeholder, secret: name.clone() }, bound.clone())
        };
        let new: Vec<(Held, Bound)> = meant.iter().map(new).collect();
        let id = id.clone();
        store::write(&*self.store, move |tx| {
            Box::pin(async move {
                let mut held = kept(tx.bindings().held(id.clone()).await?);
                for (one, bound) in new {
                    let name = one.secret.clone();
                    if !fits(&held, &name, &bound) {
                        let shape = bound.shape;
                        tx.bindings().hold(id.clone(), one.clone(), shape.clone()).await?;
                        held.insert(name, (one, shape));
                    }
                }
                Ok(held)
            })
        })
        .await
    }
}

/// What a box holds, by the names of the secrets.
type Holding = BTreeMap<String, (Held, Shape)>;

fn kept(held: Vec<(Held, Shape)>) -> Holding {
    held.into_iter().map(|(held, shape)| (held.secret.clone(), (held, shape))).collect()
}

fn fits(held: &Holding, name: &str, bound: &Bound) -> bool {
    held.get(name).is_some_and(|(_, shape)| *shape == bound.shape)
}

/// The nearest secret of each name counts, bound or not: another's binding is not for its value.
async fn meant(tx: &mut dyn Tx, scopes: [Scope; 2]) -> Result<Meant, StoreError> {
    let mut meant = Meant::new();
    let mut seen = BTreeSet::new();
    for scope in scopes {
        for (name, bound) in tx.bindings().list(scope.clone()).await? {
            if !seen.contains(&name) {
                meant.insert(name, (scope.clone(), bound));
            }
        }
        seen.extend(tx.secrets().list(scope).await?.into_iter().map(|info| info.name));
    }
    Ok(meant)
}
