//! `GET /api/v1/dashboard`: all boxes that the caller may see. Wakes nothing, asks no sandbox.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use smartbox_api::dashboard::{Counts, Dashboard, Member};
use smartbox_api::page::{BadPage, Page, PageQuery};
use smartbox_control::{Fleet, Member as Seen};

use crate::app::App;
use crate::http::body::Query;
use crate::http::issue::seen_by;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "dashboard";

/// All boxes as they were seen last, those that need somebody first, and what they share.
///
/// An account sees its own boxes; an operator sees those of every account. Wakes nothing.
#[utoipa::path(
    get,
    path = "/api/v1/dashboard",
    tag = "dashboard",
    params(PageQuery),
    responses((status = 200, body = Dashboard, description = "The fleet, with a page of its boxes.")),
)]
pub(super) async fn get(
    State(app): State<App>,
    who: Principal,
    Query(which): Query<PageQuery>,
) -> Result<Json<Dashboard>, Trouble> {
    let (limit, after) = which.read(LIST)?;
    let after = after.map(|key| place(&key).ok_or(BadPage::Cursor)).transpose()?;
    let fleet = app.control.fleet(seen_by(&who)?.as_ref()).await?;
    let counts = counts(&fleet);
    let attention = fleet.members.iter().filter(|member| member.needs_somebody()).count();
    let mut issues = BTreeMap::new();
    for tally in &fleet.issues {
        *issues.entry(tally.severity.to_string()).or_default() += tally.open;
    }
    let Fleet { members, owners, machine, today, .. } = fleet;
    // By rank, name and id, as they are sorted; a box whose rank changes meanwhile may be seen twice.
    let rest = members.into_iter().filter(|member| {
        let here = (member.rank(), member.row.name.as_str(), member.row.id.as_str());
        after.as_ref().is_none_or(|(rank, name, id)| here > (*rank, name.as_str(), id.as_str()))
    });
    let keyed = rest.map(|member| (key(&member), member));
    let page = Page::of(keyed, LIST, limit, |(key, _)| key);
    let boxes = page.map(|(_, member)| {
        let account = owners.get(&member.row.account).cloned().unwrap_or_default();
        shown(member, account)
    });
    let at = app.clock.now();
    Ok(Json(Dashboard { at, counts, issues, attention: attention as u64, machine, today, boxes }))
}

fn key(member: &Seen) -> String {
    format!("{} {} {}", member.rank(), member.row.name, member.row.id)
}

fn place(key: &str) -> Option<(u8, String, String)> {
    let mut words = key.split(' ');
    let found = (words.next()?.parse().ok()?, words.next()?.to_owned(), words.next()?.to_owned());
    words.next().is_none().then_some(found)
}

fn counts(fleet: &Fleet) -> Counts {
    let mut counts = Counts { boxes: fleet.members.len() as u64, ..Counts::default() };
    for Seen { row, .. } in &fleet.members {
        for (by, word) in [
            (&mut counts.state, row.state.as_str()),
            (&mut counts.desired, row.desired.as_str()),
            (&mut counts.kind, row.kind.as_str()),
            (&mut counts.tier, row.tier.as_str()),
        ] {
            match by.get_mut(word) {
                Some(count) => *count += 1,
                None => drop(by.insert(word.to_owned(), 1)),
            }
        }
    }
    counts
}

fn shown(member: Seen, account: String) -> Member {
    let attention = member.needs_somebody();
    let row = member.row;
    Member {
        id: row.id,
        account,
        name: row.name,
        kind: row.kind,
        tier: row.tier,
        state: row.state,
        since: row.vitals.since,
        desired: row.desired,
        phase: member.phase,
        busy: member.busy,
        attention,
        reason: row.failure.map(|failure| failure.reason),
        tripped: row.vitals.breaker.is_open(),
        issues: member.issues,
        severity: member.worst,
        memory: member.memory,
        seen: member.seen,
        last_active: row.last_active,
    }
}
