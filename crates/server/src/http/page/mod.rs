//! The platform's own few pages, rendered here: they work without scripts, and load nothing from
//! anywhere else.

mod admin;
mod asset;
mod boxes;
mod browser;
mod dev;
mod device;
mod egress;
mod filters;
mod home;
mod invited;
mod login;
mod logout;
mod oidc;
mod open;
mod render;
mod snapshots;
mod words;

use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Method, StatusCode, Uri};
use smartbox_api::problem::{Code, Problem};
use smartbox_core::person::Right;
use smartbox_core::smartbox::Smartbox;

use super::route::{Policy, Route, SMALL};
use super::trouble::Trouble;
use super::{origin, vouched};
use crate::access::Caller;
use crate::app::App;

pub(super) fn routes() -> Vec<Route> {
    let (public, session) = (Policy::Public, Policy::Session(Right::Read));
    let mut routes = vec![
        Route::page((Method::GET, "/"), public, SMALL, home::home),
        Route::page((Method::GET, "/login"), public, SMALL, login::show),
        Route::page((Method::POST, "/login"), public, SMALL, login::login),
        Route::page((Method::POST, "/login/dev"), public, SMALL, dev::dev),
        Route::page((Method::POST, "/logout"), Policy::Browser, SMALL, logout::logout),
        Route::page((Method::GET, "/login/oidc"), public, SMALL, oidc::begin::begin),
        Route::page((Method::GET, "/login/oidc/callback"), public, SMALL, oidc::back::back),
        Route::page((Method::GET, "/invited"), public, SMALL, invited::show),
        Route::page((Method::POST, "/invited"), public, SMALL, invited::accept),
        Route::page((Method::GET, "/boxes"), session, SMALL, boxes::boxes),
        Route::page((Method::GET, "/open/{label}"), session, SMALL, open::show),
        Route::page((Method::POST, "/open/{label}"), session, SMALL, open::open),
        Route::page((Method::GET, "/assets/page.css"), public, SMALL, asset::style),
        Route::page((Method::GET, "/assets/browser.js"), public, SMALL, asset::browser),
        Route::page((Method::GET, "/assets/invited.js"), public, SMALL, asset::invited),
        Route::page((Method::GET, "/favicon.svg"), public, SMALL, asset::icon),
    ];
    routes.extend(admin::routes());
    routes.extend(device::routes());
    routes.extend(browser::routes());
    routes.extend(egress::routes());
    routes.extend(snapshots::routes());
    routes
}

/// For someone without a session: the sign-in page for what they wanted to see, or a refusal of
/// what they wanted to change.
pub(super) async fn ask(app: &App, parts: &Parts) -> Response {
    if !origin::harmless(&parts.method) {
        return Trouble::unauthenticated().into_response();
    }
    let wrong = vouched::wrong(app, &parts.headers).await;
    let page = render::sign_in(app, parts, back(&parts.uri), wrong.as_deref());
    (StatusCode::UNAUTHORIZED, page).into_response()
}

/// For somebody who is known, and has to do something first: their browser is led to where it does that.
/// What they wanted to change is not changed, and they are told.
pub(super) fn refused(policy: Policy, parts: &Parts, why: Trouble) -> Response {
    let leads = matches!(why.problem().known(), Some(Code::Unproven | Code::NotLetIn))
        && !matches!(policy, Policy::Api(_) | Policy::Operator(_) | Policy::Admin)
        && origin::harmless(&parts.method);
    if leads { Redirect::to(&browser::before(parts)).into_response() } else { why.into_response() }
}

/// Whether this is what a page of ours looks by. It is served whatever the host is called, and says
/// nothing: the page that refuses a host looks by it too.
pub(super) fn dresses(method: &Method, path: &str) -> bool {
    origin::harmless(method) && matches!(path, "/assets/page.css" | "/favicon.svg")
}

/// A problem as a page.
pub(super) fn problem(app: &App, problem: &Problem) -> String {
    render::problem(app, problem)
}

/// The address that takes a browser into a box: a fresh ticket on the box's own origin. Opening it
/// changes nothing; the page there burns the ticket by a POST.
pub(super) async fn enter(app: &App, who: &Caller, row: &Smartbox) -> Result<String, Trouble> {
    let ticket = app.access.ticket(who, &row.id).await?;
    let origin = app.site.box_origin(&row.label);
    Ok(format!("{origin}/_smartbox/enter?ticket={}", ticket.expose()))
}

/// Where somebody wanted to go: with the query, where that is one that we know.
fn back(uri: &Uri) -> &str {
    let whole = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    match own_path(whole) {
        "/" => uri.path(),
        known => known,
    }
}

/// Whether an address of ours may be gone to after signing in: never another site's. What stands in a query
/// is a name or a code, so that it can be written into an address again as it is.
fn own_path(next: &str) -> &str {
    let label = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let egress = |rest: &str| rest.strip_suffix("/egress").is_some_and(label);
    let good = matches!(next, "/boxes" | "/_admin/" | "/device")
        || next.strip_prefix("/open/").is_some_and(label)
        || next.strip_prefix("/device?code=").is_some_and(label)
        || next.strip_prefix("/_admin/?account=").is_some_and(label)
        || next.strip_prefix("/boxes/").is_some_and(egress);
    if good { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::{back, own_path};

    #[test]
    fn signing_in_leads_nowhere_else() {
        for good in [
            "/open/pa",
            "/boxes",
            "/_admin/",
            "/boxes/pa/egress",
            "/device",
            "/device?code=BCDF-GHJK",
            "/_admin/?account=ann",
        ] {
            assert_eq!(own_path(good), good);
        }
        for bad in ["/boxes//egress", "/boxes/../egress", "/boxes/pa/egress?x", "/boxes/pa/"] {
            assert_eq!(own_path(bad), "/", "{bad}");
        }
        for bad in ["//evil.example", "https://evil.example", "/open/", "/open/../x", "/open/a?b"] {
            assert_eq!(own_path(bad), "/", "{bad}");
        }
        for bad in [
            "/device//evil.example",
            "/device?code=",
            "/device?code=a&next=//evil.example",
            "/device?code=//evil.example",
            "/device?code=a%0d%0aset-cookie:x",
            "/device?code=a\r\nset-cookie:x",
            "/device?code=\"><script>",
            "/device?other=a",
            "/device\\evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/_admin/?account=a&done=all",
            "/_admin/?done=all",
            "javascript:alert(1)",
        ] {
            assert_eq!(own_path(bad), "/", "{bad}");
        }
    }

    #[test]
    fn what_was_asked_for_is_come_back_to_and_a_strange_query_is_left_out() {
        let back = |text: &str| back(&text.parse().unwrap()).to_owned();
        assert_eq!(back("/device?code=BCDF-GHJK"), "/device?code=BCDF-GHJK");
        assert_eq!(back("/device?code=%22"), "/device");
        assert_eq!(back("/device?code=a&x=b"), "/device");
        assert_eq!(back("/boxes?x"), "/boxes");
    }
}
