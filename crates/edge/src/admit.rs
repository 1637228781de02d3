//! Who may come in: the edge's own small port to whoever keeps sessions and tickets.

use smartbox_core::BoxFuture;
use smartbox_core::id::AccountId;
use smartbox_core::person::Right;
use smartbox_core::route::Route;
use smartbox_core::secret::Secret;
use smartbox_core::store::StoreError;

/// Who is signed in on a box's origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The account that the session acts for.
    pub account: AccountId,
    /// Who they are among those who may come in here, however many sessions they have: what they do is
    /// counted together.
    pub who: String,
    /// The name that the engine is given in its identity header; visible ASCII.
    pub name: String,
    /// What they may do with this box. Who may nothing is not signed in.
    pub right: Right,
}

/// Keeps sessions and tickets. Called once per request: an implementation should answer `who`
/// from memory where it can, and must forget at once what was revoked.
pub trait Admit: Send + Sync {
    /// The person whose session on this box's origin has this cookie value; `None` if there is no
    /// such session, it has ended, or it is for another box. The value is hostile input.
    fn who<'a>(
        &'a self,
        route: &'a Route,
        cookie: &'a str,
    ) -> BoxFuture<'a, Result<Option<Person>, StoreError>>;

    /// Whether a session with this cookie value was recognised lately, by memory alone: whoever has
    /// one is known and not counted among strangers. It admits nobody.
    fn remembers(&self, cookie: &str) -> bool;

    /// Burns a ticket to this box and begins a session: the value of its cookie. `None` if the
    /// ticket is unknown, used, expired, or leads elsewhere. The ticket is hostile input.
    fn enter<'a>(
        &'a self,
        route: &'a Route,
        ticket: Secret<String>,
    ) -> BoxFuture<'a, Result<Option<Secret<String>>, StoreError>>;

    /// Ends the session with this cookie value; ending one that is over succeeds.
    fn leave<'a>(
        &'a self,
        route: &'a Route,
        cookie: &'a str,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}
