//! `POST /browser`: a browser shows its key.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use http::request::Parts;
use smartbox_api::problem::Code;
use smartbox_core::device::{DeviceId, State as Let, code};
use smartbox_core::secret::Secret;

use super::{Challenge, inside, of, on_the_way_to};
use crate::access::{Came, Presented, Stage, Unproven};
use crate::app::App;
use crate::http::body::Form;
use crate::http::principal::{self, Browser, Principal};
use crate::http::trouble::Trouble;
use crate::http::{cookie, toll};

/// How long a page may be open before its script signs.
const LASTS: Duration = Duration::from_mins(1);
/// How far ahead the time of a page may lie, if the clock was set in between.
const AHEAD: Duration = Duration::from_secs(10);

#[derive(serde::Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    proof: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn prove(
    State(app): State<App>,
    who: Principal,
    parts: Parts,
    Form(given): Form<Given>,
) -> Result<Response, Trouble> {
    let next = inside(&given.next);
    let Some(browser) = who.browser() else { return Ok(Redirect::to(next).into_response()) };
    if browser.stage == Stage::Waits {
        toll::pair(&app, &parts).await?;
    }
    Ok(match shown(&app, &parts, browser, &given.proof, "").await? {
        Shown::Again => Redirect::to(&on_the_way_to(next)).into_response(),
        Shown::In(fresh) => with(&app, browser, fresh, Redirect::to(next)),
        Shown::Asks { code, cookie } => {
            let page = format!("{}&code={}", on_the_way_to(next), code::shown(&code));
            with(&app, browser, cookie, Redirect::to(&page))
        }
    })
}

/// What came of a proof.
pub(in crate::http::page) enum Shown {
    /// The page was open for too long, or another process made it: it is shown anew.
    Again,
    /// It is in; its new cookie, if it has one.
    In(Option<Secret<String>>),
    /// It asks to be let in.
    Asks { code: String, cookie: Option<Secret<String>> },
}

/// Looks at a proof that was made for exactly this request by what this session was given to sign.
pub(in crate::http::page) async fn shown(
    app: &App,
    parts: &Parts,
    browser: &Browser,
    proof: &str,
    form: &str,
) -> Result<Shown, Trouble> {
    let now = app.clock.now();
    let proof = match principal::fitting(app, parts, proof, None) {
        Ok(proof) => proof,
        Err(Unproven::Stale) => return Ok(Shown::Again),
        Err(why) => return Err(Trouble::unproven(&why.to_string())),
    };
    let sealed = proof.claims.nonce.as_deref().unwrap_or_default();
    let Some(challenge) = app.sign_in.seal.open::<Challenge>(sealed) else {
        return Ok(Shown::Again);
    };
    if challenge.browser != browser.seat.session.id {
        return Err(Trouble::unproven("that was signed for another session"));
    }
    if challenge.form != form {
        return Err(Trouble::unproven("that was signed for another form"));
    }
    if challenge.at.plus(LASTS) < now || challenge.at > now.plus(AHEAD) {
        return Ok(Shown::Again);
    }
    browser
        .spends(app, parts, &DeviceId::of(&proof.key), &proof)
        .map_err(|why| Trouble::unproven(&why.to_string()))?;
    let shown = Presented { key: proof.key, browser: of(parts, "") };
    Ok(match app.access.present(&browser.seat, shown).await? {
        Came::Proved => Shown::In(None),
        Came::Bound(fresh) => Shown::In(Some(fresh)),
        Came::Asks { code, cookie } => Shown::Asks { code, cookie },
        other => return Err(refused(&other)),
    })
}

fn refused(came: &Came) -> Trouble {
    match came {
        Came::Late => {
            Trouble::unproven("this browser has been signed in without a key for too long")
        }
        Came::Elsewhere => Trouble::unproven("this browser's key is somebody else's here"),
        Came::ShutOut(Let::Rejected) => Trouble::not_let_in(
            "somebody has not let this browser in",
            "ask them; in ten minutes it may sign in and ask again",
        ),
        Came::ShutOut(_) => Trouble::not_let_in(
            "this browser was shut out, and what it had open is over",
            "if it is to come in again, delete what it keeps of this site (cookies and site data), and \
             sign in: it comes as a new one",
        ),
        Came::Full => {
            let hint = "have some of them decided, or try again in some minutes";
            Trouble::new(Code::TooMany, "too many devices wait to be let in", hint).retry(60)
        }
        _ => Trouble::unproven("this is not the browser that signed in, or it has lost its key"),
    }
}

/// The answer, with the cookie that takes the place of the one before.
fn with(
    app: &App,
    browser: &Browser,
    fresh: Option<Secret<String>>,
    to: impl IntoResponse,
) -> Response {
    let mut response = to.into_response();
    let Some(fresh) = fresh else { return response };
    // By the cookie it is known whose provider wants to hear of the end.
    if let Some(Some(hint)) = app.sign_in.hints.take(browser.cookie.expose()) {
        app.sign_in.hints.keep(&fresh, hint);
    }
    if let Some(set) = cookie::begin(&app.site.cookie(), &fresh, app.site.secure()) {
        response.headers_mut().append(SET_COOKIE, set);
    }
    response
}
