//! In whose audit something stands, and that it does.

use smartbox_core::audit;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::smartbox::Smartbox;
use smartbox_core::store;

use super::Principal;
use crate::app::App;
use crate::http::trouble::Trouble;

/// Whose something is that is kept for one box or for all of an account: the box that is named, if one
/// is, and the account in whose audit it stands.
pub(in crate::http) async fn whose(
    app: &App,
    who: &Principal,
    of: Option<&str>,
) -> Result<(Option<SmartboxId>, AccountId), Trouble> {
    Ok(match of {
        Some(name) => {
            let row = app.control.find(who, name).await?;
            (Some(row.id), row.account)
        }
        None => (None, who.account()?.clone()),
    })
}

/// Notes in the audit of a box's owner what somebody does to it that leaves no other trace there.
pub(in crate::http) async fn tell(
    app: &App,
    who: &Principal,
    row: &Smartbox,
    action: &str,
) -> Result<(), Trouble> {
    let act = audit::Act {
        account: row.account.clone(),
        actor: who.actor.0.clone(),
        action: action.to_owned(),
        smartbox: Some(row.id.clone()),
        detail: String::new(),
        at: app.clock.now(),
    };
    let noted =
        store::write(&*app.store, |tx| Box::pin(async move { tx.audit().append(act).await }));
    Ok(noted.await?)
}
