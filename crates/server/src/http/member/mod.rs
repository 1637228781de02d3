//! Members of accounts: list, make one, remove one. An owner's, and an operator's.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use smartbox_api::page::{Page, PageQuery};
use smartbox_api::person::{MemberView, Membership};
use smartbox_api::problem::Code;
use smartbox_core::account::Account;
use smartbox_core::person::{Person, Right, Role};
use smartbox_core::store;

use super::person::{list::page, whom};
use super::principal::Principal;
use super::route::{Policy, Route, SMALL, routes};
use super::trouble::Trouble;
use super::{body, codes};
use crate::access::Gift;
use crate::app::App;

const LIST: &str = "members";
const CHANGED: &[Code] = &[Code::NotFound, Code::Refused];

pub(super) fn routes() -> Vec<Route> {
    use Policy::Api;
    vec![
        Route::api(routes!(list), Api(Right::Manage), SMALL, codes::OF_ONE),
        Route::api(routes!(set), Api(Right::Own), SMALL, CHANGED).gives(),
        Route::api(routes!(remove), Api(Right::Own), SMALL, CHANGED),
    ]
}

/// The account, if they may do there what the route does: their own, or any for an operator.
async fn of(app: &App, who: &Principal, account: &str) -> Result<Account, Trouble> {
    let found = app.control.account(account).await?;
    if who.operates() {
        return Ok(found);
    }
    if &found.id != who.home() {
        return Err(Trouble::missing("account"));
    }
    who.account()?;
    Ok(found)
}

fn view((person, role): (Person, Role)) -> MemberView {
    let Person { id, name, email, disabled, .. } = person;
    MemberView { person: id, name, email, disabled, role }
}

/// The members of an account, by name.
#[utoipa::path(
    get,
    path = "/api/v1/accounts/{account}/members",
    tag = "members",
    params(PageQuery),
    responses((status = 200, body = Page<MemberView>, description = "A page of them.")),
)]
async fn list(
    State(app): State<App>,
    who: Principal,
    Path(account): Path<String>,
    body::Query(which): body::Query<PageQuery>,
) -> Result<Json<Page<MemberView>>, Trouble> {
    let id = of(&app, &who, &account).await?.id;
    let all = store::read(&*app.store, |tx| Box::pin(async move { tx.grants().members(id).await }));
    page(all.await?, |(person, _)| person, LIST, &which).map(|page| Json(page.map(view)))
}

/// Makes somebody a member of an account, or another one than before. By an address that is not known yet
/// they are written down: whoever signs in with it, and a provider vouches for it, is them.
#[utoipa::path(
    put,
    path = "/api/v1/accounts/{account}/members/{person}",
    tag = "members",
    request_body = Membership,
    responses((status = 200, body = MemberView, description = "What they are now.")),
)]
async fn set(
    State(app): State<App>,
    who: Principal,
    Path((account, person)): Path<(String, String)>,
    body::Json(what): body::Json<Membership>,
) -> Result<Json<MemberView>, Trouble> {
    let (id, whom, gift) =
        (of(&app, &who, &account).await?.id, whom(&person)?, Gift::Role(Some(what.role)));
    let person = app.access.give(who.caller(), &id, whom, gift).await??;
    Ok(Json(view((person, what.role))))
}

/// Makes somebody no member of an account any more: what they have open there is cut. An account's last
/// owner does not do it to themselves, if nothing else opens the account.
#[utoipa::path(
    delete,
    path = "/api/v1/accounts/{account}/members/{person}",
    tag = "members",
    responses((status = 204, description = "They are none.")),
)]
async fn remove(
    State(app): State<App>,
    who: Principal,
    Path((account, person)): Path<(String, String)>,
) -> Result<StatusCode, Trouble> {
    let id = of(&app, &who, &account).await?.id;
    app.access.give(who.caller(), &id, whom(&person)?, Gift::Role(None)).await??;
    Ok(StatusCode::NO_CONTENT)
}
