//! What was refused last.

use std::time::Duration;

use smartbox_api::call;
use smartbox_api::egress::EgressView;
use smartbox_core::egress::{Effect, Host, Refusal};
use smartbox_core::time::{Clock, Timestamp};
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out};

/// The account of a smartbox since so long ago.
pub(super) async fn uses(
    client: &Client,
    name: &str,
    since: Duration,
) -> Result<Vec<EgressView>, CliError> {
    let ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    let since = Some(Timestamp(SystemClock.now().0.saturating_sub_unsigned(ms)));
    or_interrupt(client.all(|page| call::egress(name, since, page))).await
}

/// Whether it was refused and a rule would help. What a smartbox calls a host may be any text.
pub(super) fn helps(one: &EgressView) -> bool {
    one.refused > 0
        && !one.allowed
        && matches!(one.why, Some(Refusal::NotListed | Refusal::Port))
        && Host::parse(&one.host).is_ok()
}

/// The host, with its port if that is not the usual one.
pub(super) fn place(one: &EgressView) -> String {
    match one.port {
        443 | 0 => one.host.clone(),
        port => format!("{}:{port}", one.host),
    }
}

/// Finds it, and asks whether it is the one that is meant: the smartbox chose it, perhaps a moment ago.
pub(super) async fn meant(
    client: &Client,
    name: &str,
    effect: Effect,
    yes: bool,
) -> Result<String, CliError> {
    let uses = uses(client, name, Duration::from_hours(24)).await?;
    let Some(last) = uses.iter().filter(|one| helps(one)).max_by_key(|one| one.last) else {
        return Err(CliError::here(
            format!("{name} was refused nothing that a rule would allow, in the last day"),
            format!("`smartbox egress {name}` shows what left it and what was refused"),
        ));
    };
    let place = place(last);
    let question = match effect {
        Effect::Allow => format!("Allow {} for {name}?", out::tame(&place)),
        Effect::Deny => format!("Refuse {} for {name}, whoever allows it?", out::tame(&place)),
    };
    if !yes && !ask::sure(&question, "--yes")? {
        return Err(CliError::here("no rule was added", String::new()));
    }
    Ok(place)
}
