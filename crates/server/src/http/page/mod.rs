//! The platform's own few pages, rendered here: they work without scripts, and load nothing from
//! anywhere else.

mod admin;
mod asset;
mod boxes;
mod egress;
mod home;
mod login;
mod logout;
mod oidc;
mod open;
mod render;
mod snapshots;
mod words;

use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{Method, StatusCode};
use smartbox_api::problem::Problem;
use smartbox_core::person::Right;
use smartbox_core::smartbox::Smartbox;

use super::route::{Policy, Route, SMALL};
use super::trouble::Trouble;
use super::{origin, vouched};
use crate::access::Caller;
use crate::app::App;

pub(super) fn routes() -> Vec<Route> {
    let (public, session) = (Policy::Public, Policy::Session(Right::Read));
    let own = Policy::Session(Right::Own);
    let mut routes = vec![
        Route::page((Method::GET, "/"), public, SMALL, home::home),
        Route::page((Method::POST, "/login"), public, SMALL, login::login),
        Route::page((Method::POST, "/logout"), session, SMALL, logout::logout),
        Route::page((Method::GET, "/login/oidc"), public, SMALL, oidc::begin::begin),
        Route::page((Method::GET, "/login/oidc/callback"), public, SMALL, oidc::back::back),
        Route::page((Method::GET, "/_admin"), own, SMALL, admin::bare),
        Route::page((Method::GET, "/_admin/"), own, SMALL, admin::admin),
        Route::page((Method::GET, "/boxes"), session, SMALL, boxes::boxes),
        Route::page((Method::GET, "/open/{label}"), session, SMALL, open::show),
        Route::page((Method::POST, "/open/{label}"), session, SMALL, open::open),
        Route::page((Method::GET, "/assets/page.css"), public, SMALL, asset::style),
        Route::page((Method::GET, "/assets/open.js"), public, SMALL, asset::open),
        Route::page((Method::GET, "/favicon.svg"), public, SMALL, asset::icon),
    ];
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
    let page = render::sign_in(app, parts.uri.path(), wrong.as_deref());
    (StatusCode::UNAUTHORIZED, page).into_response()
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

/// Whether a path of ours may be gone to after signing in: never another site's.
fn own_path(next: &str) -> &str {
    let label = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let egress = |rest: &str| rest.strip_suffix("/egress").is_some_and(label);
    let good = matches!(next, "/boxes" | "/_admin/")
        || next.strip_prefix("/open/").is_some_and(label)
        || next.strip_prefix("/boxes/").is_some_and(egress);
    if good { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn signing_in_leads_nowhere_else() {
        assert_eq!(own_path("/open/pa"), "/open/pa");
        assert_eq!(own_path("/boxes"), "/boxes");
        assert_eq!(own_path("/_admin/"), "/_admin/");
        assert_eq!(own_path("/boxes/pa/egress"), "/boxes/pa/egress");
        for bad in ["/boxes//egress", "/boxes/../egress", "/boxes/pa/egress?x", "/boxes/pa/"] {
            assert_eq!(own_path(bad), "/", "{bad}");
        }
        for bad in ["//evil.example", "https://evil.example", "/open/", "/open/../x", "/open/a?b"] {
            assert_eq!(own_path(bad), "/", "{bad}");
        }
    }
}
