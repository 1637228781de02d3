//! `POST /api/v1/device/authorize`: a device asks to be let in (RFC 8628, 3.1). It proves by DPoP that it
//! has the key that it shows.

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::response::{IntoResponse, Response};
use smartbox_api::device::{DeviceAsk, DeviceAsked, OAuthError};
use smartbox_api::problem::Code;
use smartbox_core::device::{Asking, INTERVAL, Kind, LASTS, Refusal, code};
use smartbox_core::id::random_text;
use smartbox_core::person::Right;

use super::oauth::{refused, unproven};
use crate::app::App;
use crate::http::body::Form;
use crate::http::principal;
use crate::http::toll;
use crate::http::trouble::Trouble;

/// What a device says of itself is cut here.
const LONGEST: usize = 80;

/// A device asks to be let in (RFC 8628, 3.1).
///
/// The header `DPoP` (RFC 9449) has the device's Ed25519 key. It waits ten minutes for somebody of the
/// account; how much it gets is what they give, not what it asks for.
#[utoipa::path(
    post,
    path = "/api/v1/device/authorize",
    tag = "devices",
    request_body(content = DeviceAsk, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, body = DeviceAsked, description = "It waits."),
        (status = 400, body = OAuthError, description = "It may not even ask."),
    ),
)]
pub(super) async fn authorize(
    State(app): State<App>,
    request: Request,
) -> Result<Response, Trouble> {
    let (parts, body) = request.into_parts();
    toll::pair(&app, &parts).await?;
    let (id, proof) = match principal::proven(&app, &parts) {
        Ok(proven) => proven,
        Err(why) => return unproven(why),
    };
    let address = principal::address(&parts);
    let address = address.map_or("this machine".to_owned(), |address| address.to_string());
    let Form(ask) = Form::<DeviceAsk>::from_request(Request::from_parts(parts, body), &()).await?;
    let Some(requested) = Right::parse(ask.scope.as_deref().unwrap_or("chat")) else {
        return Ok(refused("invalid_scope", "the scope is read, chat, manage or own"));
    };
    let kind = match ask.client_id.as_deref() {
        None | Some("cli") => Kind::Cli,
        Some("connector") => Kind::Connector,
        Some(_) => return Ok(refused("invalid_request", "client_id is cli or connector")),
    };
    let name = plain(ask.name.as_deref(), "a command line");
    // Of an account that is not there it is not said that it is not: nobody can see the request, and it
    // has as many places as those of one that is.
    let (account, name) = match &ask.account {
        None => (Some(app.account.id.clone()), name),
        Some(named) => match app.control.account(named).await {
            Ok(account) => (Some(account.id), name),
            Err(_) => (None, code::hash(named)),
        },
    };
    let user_code = code::user_code(&*app.entropy);
    let device_code = format!("sbp_{}", random_text(&*app.entropy, 32));
    let nonce = random_text(&*app.entropy, 32);
    let asking = Asking {
        id,
        key: Some(proof.key),
        kind,
        account,
        smartbox: None,
        person: None,
        name,
        platform: plain(ask.platform.as_deref(), "unknown"),
        address,
        requested,
        user_code: code::hash(&user_code),
        device_code: code::hash(&device_code),
        nonce: nonce.clone(),
    };
    match app.access.device_asks(asking).await? {
        Ok(_) => {}
        Err(why @ Refusal::Elsewhere) => {
            return Ok(refused("invalid_request", &why.to_string()));
        }
        Err(why @ Refusal::Full) => {
            let hint = "have some of them decided, or ask again in some minutes";
            return Err(Trouble::new(Code::TooMany, why.to_string(), hint).retry(60));
        }
    }
    let user_code = code::shown(&user_code);
    let uri = format!("{}/device", app.site.origin());
    let asked = DeviceAsked {
        verification_uri_complete: format!("{uri}?code={user_code}"),
        verification_uri: uri,
        device_code,
        user_code,
        expires_in: LASTS.as_secs(),
        interval: INTERVAL.as_secs(),
        nonce,
    };
    Ok(Json(asked).into_response())
}

/// What somebody says of themselves, as people may read it.
pub(in crate::http) fn plain(text: Option<&str>, otherwise: &str) -> String {
    let shown = |c: &char| !c.is_control() && !invisible(*c);
    let text: String = text.unwrap_or_default().chars().filter(shown).take(LONGEST).collect();
    match text.trim() {
        "" => otherwise.to_owned(),
        text => text.to_owned(),
    }
}

/// Characters that turn a line around, or hide in it.
fn invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}
