//! How secrets are used by placeholder, in memory.

use std::future::ready;
use std::sync::Arc;

use smartbox_core::BoxFuture;
use smartbox_core::egress::port::Bindings;
use smartbox_core::egress::{Bound, Held, Shape};
use smartbox_core::id::SmartboxId;
use smartbox_core::secret::Scope;
use smartbox_core::store::StoreError;

use super::records::Records;

impl Records<'_> {
    /// How a secret is bound; none if there is no such secret.
    fn bound(
        &mut self,
        scope: &Scope,
        name: &str,
    ) -> Result<Option<&mut Option<Bound>>, StoreError> {
        let secrets = Arc::make_mut(&mut self.change()?.secrets);
        let kept = secrets.get_mut(scope).and_then(|names| names.get_mut(name));
        Ok(kept.map(|kept| &mut kept.bound))
    }

    fn bind(&mut self, scope: &Scope, name: &str, bound: Bound) -> Result<(), StoreError> {
        let place = self.bound(scope, name)?;
        *place.ok_or(StoreError::Missing { what: "secret" })? = Some(bound);
        Ok(())
    }

    fn unbind(&mut self, scope: &Scope, name: &str) -> Result<bool, StoreError> {
        Ok(self.bound(scope, name)?.is_some_and(|bound| bound.take().is_some()))
    }

    fn give(&mut self, id: SmartboxId, held: Held, shape: Shape) -> Result<(), StoreError> {
        self.change()?;
        self.need_box(&id, "smartbox")?;
        let key = (id, held.secret.clone());
        Arc::make_mut(&mut self.state.placeholders).insert(key, (held, shape));
        Ok(())
    }
}

impl Bindings for Records<'_> {
    fn set(
        &mut self,
        scope: Scope,
        name: String,
        bound: Bound,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.bind(&scope, &name, bound)))
    }

    fn list(&mut self, scope: Scope) -> BoxFuture<'_, Result<Vec<(String, Bound)>, StoreError>> {
        let names = self.state.secrets.get(&scope).into_iter().flatten();
        let bound = names.filter_map(|(name, kept)| Some((name.clone(), kept.bound.clone()?)));
        Box::pin(ready(Ok(bound.collect())))
    }

    fn remove(&mut self, scope: Scope, name: String) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(ready(self.unbind(&scope, &name)))
    }

    fn hold(
        &mut self,
        id: SmartboxId,
        held: Held,
        shape: Shape,
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.give(id, held, shape)))
    }

    fn held(&mut self, id: SmartboxId) -> BoxFuture<'_, Result<Vec<(Held, Shape)>, StoreError>> {
        let all = self.state.placeholders.iter().filter(|((smartbox, _), _)| *smartbox == id);
        Box::pin(ready(Ok(all.map(|(_, kept)| kept.clone()).collect())))
    }
}
