//! Who acts: the local command line, a bearer of a token, or a browser's session.

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use smartbox_control::Actor;
use smartbox_core::id::AccountId;

use super::{cookie, trouble::Trouble};
use crate::access::Bearer;
use crate::app::App;

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
}

/// Finds out who acts; `None` if nobody who is known. A bearer that is wrong is not made good by a
/// cookie.
pub(super) async fn find(app: &App, parts: &Parts) -> Result<Option<Principal>, Trouble> {
    let local = |actor: String| Principal {
        account: app.account.id.clone(),
        actor: Actor(actor),
        by_cookie: false,
    };
    if let Some(Peer::Local { uid }) = parts.extensions.get::<Peer>() {
        return Ok(Some(local(format!("cli:uid={uid}"))));
    }
    if let Some(value) = parts.headers.get(AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        let Some(token) = token else { return Ok(None) };
        return Ok(app.access.bearer(token).await?.map(|bearer| match bearer {
            Bearer::Master => local("master-token".into()),
            Bearer::Token { id, account } => {
                Principal { account, actor: Actor(format!("token:{id}")), by_cookie: false }
            }
        }));
    }
    for value in cookie::values(&parts.headers, &app.site.cookie()) {
        if let Some(session) = app.access.session(value, None).await? {
            return Ok(Some(Principal {
                account: session.account,
                actor: Actor(format!("session:{}", session.id)),
                by_cookie: true,
            }));
        }
    }
    Ok(None)
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Trouble> {
        // Put there by the guard; a public route has none.
        parts.extensions.get::<Self>().cloned().ok_or_else(Trouble::unauthenticated)
    }
}
