//! `POST /login/dev`: a session without a token, where `DEV_MODE` says so. A button of our own sign-in page
//! presses it, in a browser on this machine: being on it is nobody's proof, so nothing comes by itself.

use axum::extract::State;
use axum::response::Response;
use http::request::Parts;
use smartbox_api::problem::Code;

use super::login::{begin, unread};
use super::{browser, own_path};
use crate::access::Caller;
use crate::app::App;
use crate::http::body::Form;
use crate::http::origin::{self, From};
use crate::http::principal::comes_from_here;
use crate::http::trouble::Trouble;

#[derive(serde::Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    next: String,
}

pub(super) async fn dev(
    State(app): State<App>,
    parts: Parts,
    Form(given): Form<Given>,
) -> Result<Response, Trouble> {
    if !app.dev {
        return Err(Trouble::missing("page"));
    }
    unread(&app, &parts.headers)?;
    // What does not say where it comes from is no browser, and has a token or goes without.
    let own = origin::from(&parts.headers, app.site.scheme()) == From::Own;
    if !own || !comes_from_here(&parts) {
        let detail = "only the sign-in page does this, in a browser on the platform's own machine";
        return Err(Trouble::new(Code::Forbidden, detail, "sign in by a token"));
    }
    let caller = Caller::owner(app.account.id.clone(), "dev-mode".into());
    // Its person is at the machine, and nobody else is there to let the browser in.
    let caller = Caller { welcome: true, ..caller };
    begin(&app, &parts, &caller, (browser::of(&parts, "dev-mode"), own_path(&given.next))).await
}
