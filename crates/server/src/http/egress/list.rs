//! `GET /api/v1/egress/rules`: the account's rules, or everything that counts for a box.

use axum::Json;
use axum::extract::State;
use smartbox_api::egress::{EgressRuleView, EgressRulesQuery};
use smartbox_api::page::{BadPage, Page};

use super::{given, view};
use crate::app::App;
use crate::http::body::Query;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const LIST: &str = "egress-rules";

/// The account's own rules about what may leave; of a box, everything that counts for it, whoever
/// says it. What no rule allows is refused, and one that refuses wins.
#[utoipa::path(
    get,
    path = "/api/v1/egress/rules",
    tag = "egress",
    params(EgressRulesQuery),
    responses((status = 200, body = Page<EgressRuleView>, description = "A page of them.")),
)]
pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
    Query(of): Query<EgressRulesQuery>,
) -> Result<Json<Page<EgressRuleView>>, Trouble> {
    let (limit, after) = of.page().read(LIST)?;
    let after = after.map(|n| n.parse::<usize>().map_err(|_| BadPage::Cursor)).transpose()?;
    let views: Vec<EgressRuleView> = match of.smartbox.as_deref() {
        Some(name) => {
            let row = app.control.find(&who, name).await?;
            let counts = app.control.egress(&row.id).await?;
            let others = counts.given.into_iter().map(|(source, what)| given(source, what));
            others.chain(counts.kept.into_iter().map(view)).collect()
        }
        None => app.control.account_egress(who.account()?).await?.into_iter().map(view).collect(),
    };
    let keyed = views.into_iter().enumerate().map(|(n, view)| (n.to_string(), view));
    let rest = keyed.skip(after.map_or(0, |after| after.saturating_add(1)));
    Ok(Json(Page::of(rest, LIST, limit, |(n, _)| n).map(|(_, view)| view)))
}
