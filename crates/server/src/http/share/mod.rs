//! With whom single smartboxes are shared: list, share, share no more. An owner's.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use smartbox_api::page::{Page, PageQuery};
use smartbox_api::person::{ShareView, Sharing};
use smartbox_api::problem::Code;
use smartbox_core::person::{Person, Right};
use smartbox_core::store;

use super::person::{list::page, whom};
use super::principal::Principal;
use super::route::{Policy, Route, SMALL, routes};
use super::trouble::Trouble;
use super::{body, codes};
use crate::access::Gift;
use crate::app::App;

const LIST: &str = "shares";
const SHARED: &[Code] = &[Code::NotFound, Code::Refused];

pub(super) fn routes() -> Vec<Route> {
    use Policy::Api;
    vec![
        Route::api(routes!(list), Api(Right::Own), SMALL, codes::OF_ONE),
        Route::api(routes!(set), Api(Right::Own), SMALL, SHARED).gives(),
        Route::api(routes!(remove), Api(Right::Own), SMALL, SHARED),
    ]
}

fn view((person, right): (Person, Right)) -> ShareView {
    let Person { id, name, email, disabled, .. } = person;
    ShareView { person: id, name, email, disabled, right }
}

/// With whom a smartbox is shared, by name.
#[utoipa::path(
    get,
    path = "/api/v1/boxes/{name}/shares",
    tag = "shares",
    params(PageQuery),
    responses((status = 200, body = Page<ShareView>, description = "A page of them.")),
)]
async fn list(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    body::Query(which): body::Query<PageQuery>,
) -> Result<Json<Page<ShareView>>, Trouble> {
    let id = app.control.find(&who, &name).await?.id;
    let all = store::read(&*app.store, |tx| Box::pin(async move { tx.grants().shares(id).await }));
    page(all.await?, |(person, _)| person, LIST, &which).map(|page| Json(page.map(view)))
}

/// Shares a smartbox with somebody: `read`, `chat` or `manage`. By an address that is not known yet they
/// are written down: whoever signs in with it, and a provider vouches for it, is them.
#[utoipa::path(
    put,
    path = "/api/v1/boxes/{name}/shares/{person}",
    tag = "shares",
    request_body = Sharing,
    responses((status = 200, body = ShareView, description = "What they may now.")),
)]
async fn set(
    State(app): State<App>,
    who: Principal,
    Path((name, person)): Path<(String, String)>,
    body::Json(what): body::Json<Sharing>,
) -> Result<Json<ShareView>, Trouble> {
    let row = app.control.find(&who, &name).await?;
    if what.right == Right::Own {
        let hint = "share it for `manage`, or make them an owner of the account";
        return Err(Trouble::new(Code::Refused, "a single smartbox is not given away", hint));
    }
    let gift = Gift::Share(row.id, Some(what.right));
    let person = app.access.give(who.caller(), &row.account, whom(&person)?, gift).await??;
    Ok(Json(view((person, what.right))))
}

/// Shares a smartbox with somebody no more: what they have open there is cut.
#[utoipa::path(
    delete,
    path = "/api/v1/boxes/{name}/shares/{person}",
    tag = "shares",
    responses((status = 204, description = "It is shared with them no more.")),
)]
async fn remove(
    State(app): State<App>,
    who: Principal,
    Path((name, person)): Path<(String, String)>,
) -> Result<StatusCode, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let gift = Gift::Share(row.id, None);
    app.access.give(who.caller(), &row.account, whom(&person)?, gift).await??;
    Ok(StatusCode::NO_CONTENT)
}
