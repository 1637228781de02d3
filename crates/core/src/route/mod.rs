//! From a host name to a box that answers.

pub mod port;

use serde::Serialize;

use crate::id::{AccountId, SmartboxId};
use crate::smartbox::{Desired, Failure, State};

/// What the edge must know of a box to serve it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Route {
    /// The box.
    pub id: SmartboxId,
    /// Who owns it.
    pub account: AccountId,
    /// Its name, for pages.
    pub name: String,
    /// Its host label.
    pub label: String,
    /// What its owner wishes.
    pub desired: Desired,
    /// Where it is.
    pub state: State,
    /// What it is doing to become running, in one short phrase.
    pub phase: String,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// The port inside on which its engine listens.
    pub port: u16,
}
