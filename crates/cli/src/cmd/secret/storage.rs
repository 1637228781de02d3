//! The three secrets that open a bucket for snapshots: what a change of one leads to.

use smartbox_api::call;
use smartbox_api::secret::SecretQuery;
use smartbox_server::config::snapshots::SECRETS;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Says when a change of the platform's secret counts, if it is one of the three, and what is missing
/// besides it. The environment of `up` may have the rest, which nobody but it knows.
pub(super) async fn note(client: &Client, name: &str) -> Result<(), CliError> {
    if !SECRETS.contains(&name) {
        return Ok(());
    }
    let of = SecretQuery { smartbox: None, platform: true };
    let kept = or_interrupt(client.all(|page| call::secrets(&of, page))).await?;
    let missing = |name: &&str| !kept.iter().any(|one| one.name == **name);
    let missing: Vec<&str> = SECRETS.into_iter().filter(missing).collect();
    let when = "note: snapshots go by it from the next start of `smartbox up`";
    out::note(match missing.len() {
        0 => when.to_owned(),
        3 => format!("{when}: to a directory"),
        _ => format!(
            "{when}\nnote: {} {} not kept; unless its environment gives what is missing, it does not \
             start (at a server of your own, `[snapshots] endpoint`, CF_ACCOUNT_ID is not needed)",
            missing.join(" and "),
            if missing.len() == 1 { "is" } else { "are" },
        ),
    });
    Ok(())
}
