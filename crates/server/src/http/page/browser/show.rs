//! `GET /browser`: a page whose script shows the browser's key; or, if nobody has let the browser in, what it
//! shows to whoever may. It asks again by itself, and goes on whatever comes of it.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use smartbox_core::device::{Device, State as Let, code};

use super::{Sign, inside};
use crate::access::{INTRODUCED, Seat, Stage};
use crate::app::App;
use crate::http::body::Query;
use crate::http::page::render;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

#[derive(serde::Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    next: String,
    /// The code that it shows, of which the platform keeps a hash.
    #[serde(default)]
    code: String,
}

/// What a browser is that comes to sign.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It is in, and may show a key from now on.
    New,
    /// Somebody has to let it in, by its key.
    Asks,
    /// It has a key.
    Known,
}

#[derive(Template)]
#[template(path = "browser.html")]
struct Page<'a> {
    sign: Sign,
    next: &'a str,
    manner: Manner,
}

#[derive(Template)]
#[template(path = "waits.html")]
struct Waits<'a> {
    name: &'a str,
    code: &'a str,
    digits: String,
}

#[derive(Template)]
#[template(path = "undecided.html")]
struct Undecided<'a> {
    rejected: bool,
    again: &'a str,
}

pub(super) async fn show(
    State(app): State<App>,
    who: Principal,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let (next, now) = (inside(&asked.next), app.clock.now());
    let on = || Ok(Redirect::to(next).into_response());
    let Some(browser) = who.browser() else { return on() };
    let seat = &browser.seat;
    let Some(device) = &seat.device else { return on() };
    let manner = match (browser.stage, device.key.is_some()) {
        (Stage::Waits, true) => match waits(&asked, device, now, next) {
            Some(page) => return Ok(page),
            None => Manner::Asks,
        },
        (Stage::Waits, false) => Manner::Asks,
        // It was let in a moment ago: what it waited for is there.
        (Stage::In, true) if !asked.code.is_empty() => return on(),
        (Stage::In | Stage::Unproven, true) => Manner::Known,
        (_, false) if is_new(seat, now) => Manner::New,
        (_, false) => return on(),
    };
    Ok(render::page(&Page { sign: Sign::of(&app, seat)?, next, manner }).into_response())
}

fn is_new(seat: &Seat, now: smartbox_core::time::Timestamp) -> bool {
    seat.session.created.plus(INTRODUCED) > now
}

/// What one sees that waits; `None` if it has to ask first.
fn waits(
    asked: &Asked,
    device: &Device,
    now: smartbox_core::time::Timestamp,
    next: &str,
) -> Option<Response> {
    let again = super::on_the_way_to(next);
    let undecided =
        |rejected| Some(render::page(&Undecided { rejected, again: &again }).into_response());
    if device.state == Let::Rejected {
        return undecided(true);
    }
    // Its own code, or somebody could have it show another one's.
    let ask = device.ask.as_ref()?;
    let code = code::typed(&asked.code).filter(|code| code::hash(code) == ask.user_code)?;
    if !ask.waits(now) {
        return undecided(false);
    }
    let page = Waits {
        name: &device.name,
        code: &code::shown(&code),
        digits: code::comparison(device.key.as_ref(), &ask.nonce),
    };
    Some(render::page(&page).into_response())
}
