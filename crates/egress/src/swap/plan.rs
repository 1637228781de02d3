//! What would be put where: the judgement over one request head.

use std::ops::Range;
use std::sync::Arc;

use http::HeaderName;
use http::request::Parts;
use smartbox_core::egress::{Binding, Held, Host, Place};

use super::refusal::{Refusal, Spot};
use super::watch::Watch;
use super::{header, target};
use crate::forms::{Hunt, Span};
use crate::placeholder::Known;

/// Where a request really goes, by the connection that carries it.
#[derive(Debug, Clone, Copy)]
pub struct Towards<'a> {
    /// The host that was dialled, and whose certificate was checked.
    pub host: &'a Host,
    /// The port that was dialled.
    pub port: u16,
    /// Whether it goes over TLS.
    pub tls: bool,
}

/// The placeholders of one box, and where they may stand. Made once, used for each request.
#[derive(Debug, Clone)]
pub struct Swap {
    pub(super) known: Known,
    bindings: Vec<Binding>,
    pub(super) hunt: Option<Arc<Hunt>>,
}

/// What to put into a request head.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    pub(super) puts: Vec<Put>,
}

/// One secret in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Put {
    pub(super) secret: String,
    pub(super) at: At,
}

/// Where a value goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum At {
    /// Instead of these bytes of the path and query.
    Target(Range<usize>, Spot),
    /// Instead of these bytes of the header's nth value.
    Header(HeaderName, usize, Range<usize>),
    /// As the user (or else the password) of basic authentication, in the nth `authorization`.
    Basic { nth: usize, user: bool },
}

impl Swap {
    /// For a box that holds these, bound so. A placeholder without a binding may go nowhere.
    pub fn new(held: Vec<Held>, bindings: Vec<Binding>) -> Self {
        let hunt = Hunt::new(held.iter().map(|held| held.placeholder.as_str().as_bytes()));
        Self { known: Known::new(held), bindings, hunt: hunt.map(Arc::new) }
    }

    /// Judges a request head. A plan without secrets means that it passes as it is.
    pub fn plan(&self, towards: Towards<'_>, head: &Parts) -> Result<Plan, Refusal> {
        let Some(hunt) = &self.hunt else { return Ok(Plan::default()) };
        let look = Look { swap: self, hunt, towards, head };
        look.names()?;
        let mut puts = target::puts(&look)?;
        puts.extend(header::puts(&look)?);
        if let Some(put) = puts.first() {
            look.same_host(&put.secret)?;
        }
        Ok(Plan { puts })
    }

    /// The secrets that this host may be sent, each once. It may keep what it is sent and give it back
    /// in an answer to another request: every answer of it is scrubbed of all of them.
    pub fn bound_to(&self, host: &Host, port: u16) -> Vec<&str> {
        let bound = self.bindings.iter().filter(|binding| binding.to.means(host, port));
        let mut names: Vec<&str> = bound.map(|binding| binding.secret.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Reads along in a request's body.
    pub fn watch(&self) -> Watch {
        Watch::new(self.clone())
    }

    /// Where a placeholder stood that may not stand there.
    pub(super) fn misplaced(&self, of: usize, spot: Spot, host: String) -> Refusal {
        let secret = self.known.all()[of].secret.clone();
        let bound = self.bindings.iter().filter(|binding| binding.secret == secret);
        let may = bound.map(Binding::to_string).collect();
        Refusal::Misplaced { secret, spot, host, may }
    }
}

impl Plan {
    /// The secrets that it needs, each once.
    pub fn secrets(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.puts.iter().map(|put| put.secret.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether the head passes as it is.
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty()
    }
}

/// One look at one head.
pub(super) struct Look<'a> {
    pub(super) swap: &'a Swap,
    hunt: &'a Hunt,
    towards: Towards<'a>,
    pub(super) head: &'a Parts,
}

impl Look<'_> {
    pub(super) fn spans(&self, text: &[u8]) -> Vec<Span> {
        self.hunt.spans(text)
    }

    pub(super) fn misplaced(&self, of: usize, spot: Spot) -> Refusal {
        self.swap.misplaced(of, spot, self.towards.host.to_string())
    }

    /// The secret of a placeholder that stands in a place that is bound, for which `fits` says so.
    pub(super) fn bound(&self, of: usize, fits: impl Fn(&Place) -> bool) -> Option<String> {
        let secret = &self.swap.known.all()[of].secret;
        let Towards { host, port, tls } = self.towards;
        let (method, path) = (self.head.method.as_str(), self.head.uri.path());
        let bound = self.swap.bindings.iter().any(|binding| {
            binding.secret == *secret
                && (tls || binding.in_clear)
                && binding.to.means(host, port)
                && binding.to.means_request(method, path)
                && binding.places.iter().any(&fits)
        });
        bound.then(|| secret.clone())
    }

    /// Nothing may stand in what is read without case: hosts and names. Nor in the method.
    fn names(&self) -> Result<(), Refusal> {
        let within = |text: &str| self.swap.known.find_within(text);
        let host = self.towards.host.to_string();
        let authority = self.head.uri.authority().map(http::uri::Authority::as_str);
        if let Some(of) = within(&host).or_else(|| authority.and_then(within)) {
            return Err(self.misplaced(of, Spot::Host));
        }
        if let Some(of) = within(self.head.method.as_str()) {
            return Err(self.misplaced(of, Spot::Method));
        }
        let mut names = self.head.headers.keys();
        match names.find_map(|name| within(name.as_str())) {
            Some(of) => Err(self.misplaced(of, Spot::HeaderName)),
            None => Ok(()),
        }
    }

    /// Each host that the head names is the one that it goes to: a value must not reach another host
    /// behind the same address.
    fn same_host(&self, secret: &str) -> Result<(), Refusal> {
        let Towards { host, port, tls } = self.towards;
        let default = Some(if tls { 443 } else { 80 });
        let same =
            |text: &str| Host::with_port(text, default).is_ok_and(|it| it == (host.clone(), port));
        let headers = self.head.headers.get_all(http::header::HOST);
        let authority = self.head.uri.authority().map(http::uri::Authority::as_str);
        let agrees = headers.iter().count() <= 1
            && headers.iter().all(|value| value.to_str().is_ok_and(same))
            && authority.is_none_or(same);
        if agrees {
            return Ok(());
        }
        Err(Refusal::OtherHost { secret: secret.to_owned(), host: host.to_string() })
    }
}
