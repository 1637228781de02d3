//! What whoever runs the installation should see to: each with what to do about it.

use std::collections::BTreeSet;

use smartbox_core::person::Gives;
use smartbox_core::store;

use crate::app::App;
use crate::http::trouble::Trouble;

/// What is set, and does not work.
pub(super) async fn wrong(app: &App) -> Result<Vec<String>, Trouble> {
    let mut notices = app.sign_in.notes.clone();
    notices.extend(grants(app).await?);
    Ok(notices)
}

/// Grants in accounts that are not there.
async fn grants(app: &App) -> Result<Vec<String>, Trouble> {
    let named: BTreeSet<String> = app
        .sign_in
        .rules
        .iter()
        .filter_map(|rule| match &rule.gives {
            Gives::Role(account, _) => Some(account.clone()),
            Gives::Operator(_) => None,
        })
        .collect();
    let there = store::read(&*app.store, |tx| Box::pin(async move { tx.accounts().list().await }));
    let there: BTreeSet<String> = there.await?.into_iter().map(|account| account.name).collect();
    let missing = named.difference(&there).map(|name| {
        format!(
            "`[[sign_in.grants]]` gives something in the account `{name}`, which there is none: \
             correct it in smartbox.toml, or make the account by `smartbox account new {name}`"
        )
    });
    Ok(missing.collect())
}

/// Snapshots beside what they are of.
pub(super) fn storage(app: &App) -> Option<String> {
    let place = app.control.snapshot_storage();
    // As the driver of a directory says it; every other one is elsewhere.
    let here = place.strip_prefix("the directory ")?;
    Some(format!(
        "Snapshots are kept on this machine alone, in {here}, and are lost together with it: name a bucket \
         by `R2_ACCESS_KEY_ID`, `R2_SECRET_ACCESS_KEY` and `CF_ACCOUNT_ID`, or by `[snapshots]` in \
         smartbox.toml, and start `smartbox up` again."
    ))
}
