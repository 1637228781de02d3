//! Secrets in the requests of one box: what may stand where, the values that go in, and what must not
//! come back. The rules are [`crate::swap`] and [`crate::scrub`]; here they meet the vault.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use http::request::Parts;
use smartbox_core::egress::Standins;
use smartbox_core::egress::port::Happening;
use smartbox_core::secret::Secret;
use smartbox_core::store::StoreError;

use super::Inner;
use super::case::Case;
use crate::scrub::{self, Scrub};
use crate::swap::{Plan, Refusal, Swap, Towards, flaw};

/// What is known of one request before anybody is dialled.
pub(crate) struct Look {
    swap: Arc<Swap>,
    plan: Plan,
}

/// Takes some values out of answers. All that pass at one time share it: it is large.
pub(crate) struct Filter {
    values: BTreeMap<String, Secret<String>>,
    pub(crate) scrub: Scrub,
}

impl Filter {
    fn is_of(&self, values: &BTreeMap<String, Secret<String>>) -> bool {
        let texts = self.values.values().map(Secret::expose);
        self.values.keys().eq(values.keys()) && texts.eq(values.values().map(Secret::expose))
    }
}

/// Why no request goes out.
pub(crate) enum Failed {
    /// It is not for this secret to go there.
    Refused(Refusal),
    /// The vault cannot be read.
    Vault,
}

impl Case {
    /// The placeholders of the box; none if it holds none.
    pub(crate) fn swap(&self) -> Option<Arc<Swap>> {
        let standins = &self.standing.standins;
        if standins.held.is_empty() { None } else { Some(self.inner.swap(self, standins)) }
    }

    /// Whether a secret may go to the host, so that its requests must be seen.
    pub(crate) fn bound(&self) -> bool {
        let bindings = &self.standing.standins.bindings;
        bindings.iter().any(|one| one.to.means(&self.target.host, self.target.port))
    }

    /// Judges the head of a request, as it would be sent. None if the box holds nothing.
    pub(crate) fn look(&self, head: &Parts) -> Result<Option<Look>, Refusal> {
        let Some(swap) = self.swap() else { return Ok(None) };
        let (host, port) = (&self.target.host, self.target.port);
        let plan = swap.plan(Towards { host, port, tls: self.secure }, head)?;
        Ok(Some(Look { swap, plan }))
    }

    /// Puts the values into a head that was judged. What takes them, and whatever else the host may be
    /// sent, out of the answer; none if there is nothing.
    pub(crate) async fn arm(
        &self,
        look: &Look,
        head: &mut Parts,
    ) -> Result<Option<Arc<Filter>>, Failed> {
        let sent = look.plan.secrets();
        let mut values = HashMap::new();
        for name in &sent {
            if let Some(value) = self.release(name).await? {
                values.insert((*name).to_owned(), value);
            }
        }
        look.plan.fill(head, &values).map_err(Failed::Refused)?;
        let mut hunted: BTreeMap<String, Secret<String>> = values.into_iter().collect();
        for name in look.swap.bound_to(&self.target.host, self.target.port) {
            // What has a flaw is never sent, and need not be found.
            if !hunted.contains_key(name)
                && let Some(value) = self.peek(name).await?
                && flaw(value.expose()).is_none()
            {
                hunted.insert(name.to_owned(), value);
            }
        }
        let filter = self.filter(hunted);
        if filter.is_none() && !sent.is_empty() {
            tracing::warn!(smartbox = %self.id, "what goes out could not be looked for in the answer");
            return Err(Failed::Vault);
        }
        for name in sent {
            self.note(Happening::Secret(name.to_owned()));
        }
        if filter.is_some() {
            scrub::ask(&mut head.headers);
        }
        Ok(filter)
    }

    /// The one that is in use for these values, or a new one.
    fn filter(&self, values: BTreeMap<String, Secret<String>>) -> Option<Arc<Filter>> {
        let known = self.inner.know(&self.id);
        let mut place = known.filter.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(filter) = place.upgrade().filter(|filter| filter.is_of(&values)) {
            return Some(filter);
        }
        let scrub = Scrub::new(values.values())?;
        let filter = Arc::new(Filter { values, scrub });
        *place = Arc::downgrade(&filter);
        Some(filter)
    }

    /// A value that goes out, which is counted.
    async fn release(&self, name: &str) -> Result<Option<Secret<String>>, Failed> {
        let Some(scope) = self.standing.standins.scopes.get(name) else { return Ok(None) };
        let release = &self.inner.parts.release;
        let value = release.release_of(self.id.clone(), scope.clone(), name.to_owned()).await;
        value.map_err(|error| self.cannot(&error))
    }

    /// A value that is only looked for.
    async fn peek(&self, name: &str) -> Result<Option<Secret<String>>, Failed> {
        let Some(scope) = self.standing.standins.scopes.get(name) else { return Ok(None) };
        let release = &self.inner.parts.release;
        let value = release.peek_of(self.id.clone(), scope.clone(), name.to_owned()).await;
        value.map_err(|error| self.cannot(&error))
    }

    fn cannot(&self, error: &StoreError) -> Failed {
        tracing::warn!(smartbox = %self.id, %error, "a secret could not be opened");
        Failed::Vault
    }
}

impl Look {
    /// Reads along in the body, which is no place for a secret.
    pub(crate) fn watch(&self) -> crate::swap::Watch {
        self.swap.watch()
    }
}

impl Inner {
    fn swap(&self, case: &Case, standins: &Arc<Standins>) -> Arc<Swap> {
        let known = self.know(&case.id);
        let mut known = known.swap.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((of, swap)) = &*known
            && Arc::ptr_eq(of, standins)
        {
            return swap.clone();
        }
        let swap = Arc::new(Swap::new(standins.held.clone(), standins.bindings.clone()));
        *known = Some((standins.clone(), swap.clone()));
        swap
    }
}
