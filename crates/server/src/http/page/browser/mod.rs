//! `/browser`: where a browser shows that it has its key, and where one waits that nobody has let in. A
//! script signs, a form carries what it signed: nothing is fetched, and no policy is loosened for it.

mod agent;
mod prove;
mod show;
mod sign;

use http::Method;
use http::request::Parts;
use sha2::{Digest, Sha256};
use smartbox_core::id::SessionId;
use smartbox_core::time::Timestamp;

use crate::access::Seat;
use crate::app::App;
use crate::http::route::{Policy, Route, SMALL};
use crate::http::trouble::Trouble;

pub(super) use agent::of;
pub(super) use prove::{Shown, shown};
pub(super) use sign::unsigned;

/// The page.
pub(super) const PATH: &str = "/browser";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::page((Method::GET, PATH), Policy::Browser, SMALL, show::show),
        Route::page((Method::POST, PATH), Policy::Browser, SMALL, prove::prove),
    ]
}

/// What a browser is given to sign, sealed: good for a moment, for one session and form, for this process.
#[derive(serde::Serialize, serde::Deserialize)]
struct Challenge {
    browser: SessionId,
    at: Timestamp,
    /// What the form says that it goes with, hashed; empty where the address alone says it.
    form: String,
}

/// What a page has for the script that signs.
pub(super) struct Sign {
    pub(super) nonce: String,
    /// The platform's time: a browser's clock may be anything.
    pub(super) now: i64,
    /// Under which name the browser keeps the key: one for each account, person and smartbox, so that
    /// nobody who shares a browser shares a device.
    pub(super) slot: String,
}

impl Sign {
    pub(super) fn of(app: &App, seat: &Seat) -> Result<Self, Trouble> {
        Self::with(app, seat, String::new())
    }

    fn with(app: &App, seat: &Seat, form: String) -> Result<Self, Trouble> {
        let now = app.clock.now();
        let challenge = Challenge { browser: seat.session.id.clone(), at: now, form };
        let nonce = app.sign_in.seal.close(&*app.entropy, &challenge);
        let session = &seat.session;
        let only = seat.device.as_ref().and_then(|device| device.smartbox.as_ref());
        let parts = [
            session.account.as_str(),
            session.person.as_ref().map_or("", |id| id.as_str()),
            only.map_or("", |id| id.as_str()),
        ];
        let slot = hex::encode(Sha256::digest(parts.join("/")));
        Ok(Self { nonce: nonce.ok_or_else(Trouble::broken)?, now: now.0, slot })
    }
}

/// The page, on the way to another one of ours.
pub(super) fn on_the_way_to(next: &str) -> String {
    let next: String = form_urlencoded::byte_serialize(inside(next).as_bytes()).collect();
    format!("{PATH}?next={next}")
}

/// The page, on the way to what was asked for.
pub(super) fn before(parts: &Parts) -> String {
    on_the_way_to(parts.uri.path_and_query().map_or("/", |it| it.as_str()))
}

/// A page of ours that one may be led to: never another site's, and nothing that signs in or out.
fn inside(next: &str) -> &str {
    let path = next.split_once('?').map_or(next, |(path, _)| path);
    let good = next.len() <= 1024
        && next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\')
        && (path != "/" || path == next)
        && ![PATH, "/login", "/logout", "/invited"].iter().any(|ours| path.starts_with(ours));
    if good { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_led_to_a_page_of_ours_alone() {
        for good in ["/", "/boxes", "/_admin/", "/boxes/pa/egress", "/device?code=BCDF-GHJK"] {
            assert_eq!(inside(good), good);
        }
        for bad in [
            "",
            "boxes",
            "//evil.example",
            "https://evil.example/",
            "/\\evil.example",
            "/a b",
            "/a\r\nset-cookie: x",
            "/?token=sbl_another",
            "/browser?next=/browser",
            "/logout",
            "/login/oidc?next=/",
            "/invited?token=x",
            &format!("/{}", "a".repeat(1024)),
        ] {
            assert_eq!(inside(bad), "/", "{bad}");
        }
        assert_eq!(on_the_way_to("/device?code=B&x"), "/browser?next=%2Fdevice%3Fcode%3DB%26x");
    }
}
