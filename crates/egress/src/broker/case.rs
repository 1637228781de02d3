//! One attempt of a box to leave: who, where to, by which rule, and when it must be cut.

use std::sync::Arc;

use http::Response;
use smartbox_core::BoxFuture;
use smartbox_core::egress::port::{Happening, Passage, Standing};
use smartbox_core::egress::{
    Allowed, Decision, Host, Refusal, Request, Standins, decide, decide_request,
};
use smartbox_core::id::SmartboxId;
use tokio::net::TcpStream;

use super::Inner;
use super::asker::Asker;
use super::body::Body;
use super::known::Budget;
use super::limits::Place;
use super::target::Target;

/// An attempt.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) inner: Arc<Inner>,
    pub(crate) id: SmartboxId,
    pub(crate) target: Target,
    pub(crate) standing: Standing,
    /// Which program asks.
    pub(crate) by: Asker,
    /// What the box may still send and fetch.
    pub(crate) budget: Arc<Budget>,
    /// It is TLS that was opened: towards the host TLS is spoken, too.
    pub(crate) secure: bool,
}

/// What was let out: keep the place as long as anything passes.
pub(crate) struct Out {
    pub(crate) allowed: Allowed,
    pub(crate) place: Place,
}

impl Case {
    /// Whether the box may connect there. Where a secret may go, each request is looked at.
    pub(crate) fn decide(&self) -> Decision {
        let now = self.inner.parts.clock.now();
        let allowed = decide(&self.standing.policy, &self.target.host, self.target.port, now)?;
        Ok(Allowed { look_inside: allowed.look_inside || self.bound(), ..allowed })
    }

    /// Whether the box may make this request there.
    pub(crate) fn decide_request(&self, request: Request<'_>) -> Decision {
        let now = self.inner.parts.clock.now();
        decide_request(&self.standing.policy, &self.target.host, self.target.port, request, now)
    }

    /// Takes a place, by a decision. What is for once is used up, unless it is looked into: then it is
    /// for one request, not for what carries it.
    pub(crate) async fn out(&self, decision: Decision) -> Result<Out, Refusal> {
        // Of an address it is known at once; advice to allow it would help nobody.
        if let Host::Ip(ip) = self.target.host
            && !self.inner.may_dial(ip, self.target.port)
        {
            return Err(Refusal::Private);
        }
        let allowed = decision?;
        let place = self.inner.in_flight.enter(&self.id).ok_or(Refusal::Limit)?;
        self.budget.enter()?;
        if allowed.once && !allowed.look_inside {
            let taken = self.inner.parts.rules.take(&self.id, &allowed.entry).await;
            if !taken.is_ok_and(|taken| taken) {
                return Err(Refusal::NotListed);
            }
        }
        Ok(Out { allowed, place })
    }

    /// Connects.
    pub(crate) async fn dial(&self) -> Result<TcpStream, Refusal> {
        let server = self.inner.dial(&self.target).await?;
        self.note(Happening::Opened);
        Ok(server)
    }

    /// Tells the witness.
    pub(crate) fn note(&self, what: Happening) {
        let (smartbox, host) = (self.id.clone(), self.target.host.to_string());
        let passage = Passage { smartbox, host, port: self.target.port, by: None, what };
        self.inner.note(passage, &self.by);
    }

    /// Says no, and has it written down.
    pub(crate) fn refuse(&self, why: Refusal) -> Response<Body> {
        self.refused(why);
        self.answer(why)
    }

    /// Says no. It is written down already.
    pub(crate) fn answer(&self, why: Refusal) -> Response<Body> {
        self.inner.refuse(why, &self.standing.name, &self.target.host.to_string(), self.target.port)
    }

    /// Says no to a request because of a secret, and what it is with it.
    pub(crate) fn refuse_secret(&self, said: &dyn std::fmt::Display) -> Response<Body> {
        self.refused(Refusal::Secret);
        self.say_secret(said)
    }

    /// The same for what is written down already.
    pub(crate) fn say_secret(&self, said: &dyn std::fmt::Display) -> Response<Body> {
        let (name, host) = (&self.standing.name, self.target.host.to_string());
        self.inner.refuse_since(Refusal::Secret, said.to_string(), name, &host, self.target.port)
    }

    /// Writes down that it was refused or cut.
    pub(crate) fn refused(&self, why: Refusal) {
        self.note(Happening::Refused(why));
    }

    /// Ends when the box may no longer be connected there so: not at all, or not with other secrets than
    /// when it began.
    pub(crate) fn cut(&self, allowed: &Allowed) -> BoxFuture<'static, ()> {
        self.cut_if(allowed, |case, began| case.secrets_differ(began))
    }

    /// The same for what passes untouched: also when requests there are to be looked at from now on.
    pub(crate) fn cut_untouched(&self, allowed: &Allowed) -> BoxFuture<'static, ()> {
        self.cut_if(allowed, |case, _| case.decide().is_ok_and(|allowed| allowed.look_inside))
    }

    /// Whether what may be sent to the host is other than it was.
    fn secrets_differ(&self, began: &Standins) -> bool {
        let its = |standins: &Standins| {
            let bindings = standins.bindings.iter();
            let meant = bindings.filter(|one| one.to.means(&self.target.host, self.target.port));
            meant.cloned().collect::<Vec<_>>()
        };
        its(&self.standing.standins) != its(began)
    }

    fn cut_if(
        &self,
        allowed: &Allowed,
        changed: impl Fn(&Self, &Standins) -> bool + Send + 'static,
    ) -> BoxFuture<'static, ()> {
        let (mut case, once) = (self.clone(), allowed.once);
        let began = self.standing.standins.clone();
        Box::pin(async move {
            loop {
                let rules = &case.inner.parts.rules;
                rules.changed(case.id.clone(), case.standing.version).await;
                match rules.standing(&case.id).await {
                    Ok(standing) => case.standing = standing,
                    // What counts now is not known, so that nothing may go on by what counted before.
                    Err(error) => {
                        tracing::warn!(smartbox = %case.id, %error, "a policy could not be read");
                        return;
                    }
                }
                if changed(&case, &began) {
                    return;
                }
                match case.decide() {
                    Ok(_) => {}
                    // Its entry was used up by this very connection.
                    Err(Refusal::NotListed | Refusal::Port) if once => {}
                    Err(_) => return,
                }
            }
        })
    }
}
