//! Who acts: the local command line, a bearer of a token, or a browser's session; and for whom.

use axum::extract::FromRequestParts;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use http::request::Parts;
use smartbox_api::paths::ACCOUNT_HEADER;
use smartbox_api::problem::Code;
use smartbox_control::{Actor, Reach};
use smartbox_core::id::{AccountId, SmartboxId};

use super::{cookie, trouble::Trouble};
use crate::access::Bearer;
use crate::app::App;

/// The header of the original's admin calls.
const ADMIN_SECRET: &str = "x-admin-secret";

/// Who is at the other end of the connection, as the listener knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A process of our own uid, on the socket in the data directory.
    Local {
        /// Its uid.
        uid: u32,
    },
    /// Someone who came by TCP.
    Tcp(std::net::SocketAddr),
}

/// Who acts, and for which account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Principal {
    pub(super) account: AccountId,
    /// For the audit.
    pub(super) actor: Actor,
    /// By a cookie, which a browser sends whoever made it ask.
    pub(super) by_cookie: bool,
    /// Runs the installation: the local command line, and the bearer of the master token.
    pub(super) operator: bool,
    /// An operator who said for which account: what he names is looked for there alone.
    pub(super) acting: bool,
}

impl Principal {
    fn of(account: AccountId, actor: String) -> Self {
        let actor = Actor(actor);
        Self { account, actor, by_cookie: false, operator: false, acting: false }
    }

    /// The same person, acting for the account that the request names.
    pub(super) async fn acting(mut self, app: &App, parts: &Parts) -> Result<Self, Trouble> {
        let mut named = parts.headers.get_all(ACCOUNT_HEADER).iter();
        let (Some(value), second) = (named.next(), named.next()) else { return Ok(self) };
        if !self.operator {
            let detail = "only an operator acts for another account";
            let hint = "leave out `--account` and SMARTBOX_ACCOUNT: the token says whose it is";
            return Err(Trouble::new(Code::Forbidden, detail, hint));
        }
        let name = match (value.to_str(), second) {
            (Ok(name), None) => name,
            _ => return Err(Trouble::new(Code::BadRequest, "the account is not understood", "")),
        };
        self.account = app.control.account(name).await?.id;
        self.acting = true;
        Ok(self)
    }
}

impl From<&Principal> for Reach {
    fn from(who: &Principal) -> Self {
        Self { account: who.account.clone(), everywhere: who.operator && !who.acting }
    }
}

/// Whose something is that is kept for one box or for all of an account: the box that is named, if one
/// is, and the account in whose audit it stands.
pub(super) async fn whose(
    app: &App,
    who: &Principal,
    of: Option<&str>,
) -> Result<(Option<SmartboxId>, AccountId), Trouble> {
    Ok(match of {
        Some(name) => {
            let row = app.control.find(who, name).await?;
            (Some(row.id), row.account)
        }
        None => (None, who.account.clone()),
    })
}

/// Finds out who acts; `None` if nobody who is known. A bearer that is wrong is not made good by a
/// cookie.
pub(super) async fn find(app: &App, parts: &Parts) -> Result<Option<Principal>, Trouble> {
    let operator = |actor: String| Principal {
        operator: true,
        ..Principal::of(app.account.id.clone(), actor)
    };
    if let Some(Peer::Local { uid }) = parts.extensions.get::<Peer>() {
        return Ok(Some(operator(format!("cli:uid={uid}"))));
    }
    if let Some(value) = parts.headers.get(AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        let Some(token) = token else { return Ok(None) };
        return Ok(app.access.bearer(token).await?.map(|bearer| match bearer {
            Bearer::Master => operator("master-token".into()),
            Bearer::Token { id, account } => Principal::of(account, format!("token:{id}")),
        }));
    }
    for value in cookie::values(&parts.headers, &app.site.cookie()) {
        if let Some(session) = app.access.session(value, None).await? {
            let actor = format!("session:{}", session.id);
            return Ok(Some(Principal {
                by_cookie: true,
                ..Principal::of(session.account, actor)
            }));
        }
    }
    // The listener is on the loopback then, another host's name is refused before, and so is a change
    // that another site's page makes.
    Ok(app.dev.then(|| Principal::of(app.account.id.clone(), "dev-mode".into())))
}

/// The bearer of the original's admin secret, which is the master token. A cookie, a token or the
/// local socket is not asked: the header says it, or nothing does.
pub(super) fn admin(app: &App, parts: &Parts) -> Result<Principal, Trouble> {
    let mut sent = parts.headers.get_all(ADMIN_SECRET).iter();
    let good = match (sent.next().map(HeaderValue::to_str), sent.next()) {
        (Some(Ok(value)), None) => app.access.is_master(value),
        _ => false,
    };
    if good {
        let account = app.account.id.clone();
        return Ok(Principal { operator: true, ..Principal::of(account, "admin-secret".into()) });
    }
    let hint = "send MOLTBOT_GATEWAY_MASTER_TOKEN of `smartbox up` in the header X-Admin-Secret";
    Err(Trouble::new(Code::Forbidden, "the admin secret is missing or wrong", hint))
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Trouble> {
        // Put there by the guard; a public route has none.
        parts.extensions.get::<Self>().cloned().ok_or_else(Trouble::unauthenticated)
    }
}
