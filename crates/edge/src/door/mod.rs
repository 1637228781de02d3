//! The platform's own paths on a box's host: coming in, going out, and the loading page's needs.
//! Nothing else of the platform is reachable here.

mod form;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use smartbox_core::route::Route;
use smartbox_core::secret::Secret;
use smartbox_core::token::plausible;

use crate::asked::Asked;
use crate::body::EdgeBody;
use crate::edge::{Inner, redirect};
use crate::page::{self, Report};
use crate::problem::Refusal;
use crate::{cookie, door::form::Form};

/// Where the platform's own paths on a box's host begin.
pub const PREFIX: &str = "/_smartbox/";

pub(crate) fn is_door(path: &str) -> bool {
    path.starts_with(PREFIX) || path == PREFIX.trim_end_matches('/')
}

/// Answers below [`PREFIX`]. The origin of changes was checked before.
pub(crate) async fn open(
    edge: &Inner,
    label: &str,
    route: Option<Route>,
    parts: Parts,
    body: Asked,
) -> Result<Response<EdgeBody>, Refusal> {
    let Some(route) = route else {
        return edge.sign_in(label, &parts);
    };
    let action = parts.uri.path().strip_prefix(PREFIX).unwrap_or_default();
    match (&parts.method, action) {
        (&Method::GET, "enter") => ask(&route, &parts),
        (&Method::POST, "enter") => enter(edge, &route, body).await,
        (&Method::GET, "state") => {
            edge.who(&route, &parts).await?.ok_or_else(signed_out)?;
            state(&route)
        }
        (&Method::POST, "wake") => {
            edge.who(&route, &parts).await?.ok_or_else(signed_out)?;
            let form = Form::read(body).await?;
            edge.nudge(&route.id).await;
            redirect(form.get("to").filter(|to| inside(to)).unwrap_or("/"))
        }
        (&Method::POST, "leave") => {
            if let Some((_, value)) = edge.who(&route, &parts).await? {
                edge.admit.leave(&route, &value).await.map_err(|_| Refusal::records())?;
                edge.sessions.send_modify(|n| *n = n.wrapping_add(1));
            }
            with_cookie(&edge.settings.sign_in_url(label), cookie::end(edge.settings.scheme))
        }
        (_, "enter" | "state" | "wake" | "leave") => Err(Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method",
            "This method is not served here.",
            "",
        )),
        _ => Err(Refusal::not_found()),
    }
}

/// The page that hands the ticket in: a link preview that merely fetches it burns nothing.
fn ask(route: &Route, parts: &Parts) -> Result<Response<EdgeBody>, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    let ticket = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "ticket")
        .map(|(_, value)| value)
        .filter(|value| plausible(value))
        .ok_or_else(used_up)?;
    Ok(page::enter(route, &ticket))
}

/// Burns the ticket. Nobody is barred from trying, and no wrong one is held against an address: a ticket
/// cannot be guessed, and any page of the box can post here on behalf of all who share its visitor's address.
async fn enter(edge: &Inner, route: &Route, body: Asked) -> Result<Response<EdgeBody>, Refusal> {
    let form = Form::read(body).await?;
    let ticket = form.get("ticket").filter(|ticket| plausible(ticket)).ok_or_else(used_up)?;
    let ticket = Secret::new(ticket.to_owned());
    let value = edge.admit.enter(route, ticket).await.map_err(|_| Refusal::records())?;
    let value = value.ok_or_else(used_up)?;
    with_cookie("/", cookie::begin(edge.settings.scheme, value.expose()))
}

fn with_cookie(to: &str, value: Option<HeaderValue>) -> Result<Response<EdgeBody>, Refusal> {
    let mut response = redirect(to)?;
    let value = value.ok_or_else(Refusal::records)?;
    response.headers_mut().insert(SET_COOKIE, value);
    Ok(response)
}

fn state(route: &Route) -> Result<Response<EdgeBody>, Refusal> {
    let text = serde_json::to_string(&Report::of(route)).map_err(|_| Refusal::records())?;
    let mut response = Response::new(EdgeBody::own(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// A path of this origin and no other.
fn inside(to: &str) -> bool {
    to.len() <= 2048
        && to.starts_with('/')
        && !to.starts_with("//")
        && !to.contains('\\')
        && to.bytes().all(|b| b.is_ascii_graphic())
}

fn signed_out() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "sign-in", "You are not signed in here.", "")
}

fn used_up() -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "ticket-used",
        "This link was used already, or is too old.",
        "Open the smartbox from the platform's page again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comes_back_to_this_origin_only() {
        for good in ["/", "/chat/main?x=1", "/a//b"] {
            assert!(inside(good), "{good}");
        }
        for bad in ["", "x", "//evil.com", "/\\evil.com", "http://evil.com", "/a\r\nb", "/ü"] {
            assert!(!inside(bad), "{bad}");
        }
    }

    #[test]
    fn the_doors_prefix_is_a_whole_segment() {
        assert!(is_door("/_smartbox/enter") && is_door("/_smartbox") && is_door("/_smartbox/"));
        assert!(!is_door("/_smartboxes") && !is_door("/x/_smartbox/enter"));
    }
}
