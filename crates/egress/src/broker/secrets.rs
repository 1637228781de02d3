//! Secrets in the requests of one box: what may stand where, the values that go in, and what must not
//! come back. The rules are [`crate::swap`] and [`crate::scrub`]; here they meet the vault.

use std::collections::HashMap;
use std::sync::Arc;

use http::request::Parts;
use smartbox_core::egress::Standins;
use smartbox_core::egress::port::Happening;
use smartbox_core::secret::Secret;

use super::Inner;
use super::case::Case;
use crate::scrub::{self, Scrub};
use crate::swap::{Plan, Refusal, Swap, Towards};

/// What is known of one request before anybody is dialled.
pub(crate) struct Look {
    swap: Arc<Swap>,
    plan: Plan,
}

/// A request that may go, with the values in it.
pub(crate) struct Armed {
    /// Takes the values out of the answer; none if the host may be sent none.
    pub(crate) scrub: Option<Scrub>,
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

    /// Puts the values into a head that was judged.
    pub(crate) async fn arm(&self, look: &Look, head: &mut Parts) -> Result<Armed, Failed> {
        let mut names = look.swap.bound_to(&self.target.host, self.target.port);
        names.extend(look.plan.secrets());
        names.sort_unstable();
        names.dedup();
        let mut values = HashMap::new();
        for name in names {
            if let Some(value) = self.release(name).await? {
                values.insert(name.to_owned(), value);
            }
        }
        look.plan.fill(head, &values).map_err(Failed::Refused)?;
        for name in look.plan.secrets() {
            self.note(Happening::Secret(name.to_owned()));
        }
        let scrub = Scrub::new(values.values());
        if scrub.is_some() {
            scrub::ask(&mut head.headers);
        }
        Ok(Armed { scrub })
    }

    async fn release(&self, name: &str) -> Result<Option<Secret<String>>, Failed> {
        let Some(scope) = self.standing.standins.scopes.get(name) else { return Ok(None) };
        let release = &self.inner.parts.release;
        release.release_of(self.id.clone(), scope.clone(), name.to_owned()).await.map_err(|error| {
            tracing::warn!(smartbox = %self.id, %error, "a secret could not be released");
            Failed::Vault
        })
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
