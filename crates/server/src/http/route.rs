//! The table of routes. A [`Route`] cannot be made without a [`Policy`] and a bound for its body.

use std::collections::BTreeMap;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};
use http::Method;

use super::{guard, trouble};
use crate::app::App;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Everyone who reaches the listener.
    Public,
    /// A browser with a session on the platform's origin; another one is asked to sign in.
    Session,
    /// The local command line, a bearer, or a session; changes by a session only from our own pages.
    Api,
}

/// How long a request's body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Bytes.
    Bytes(usize),
    /// It is read as it comes, and bounded by its reader.
    Stream,
}

/// No body worth speaking of: an empty one, or a small form or document.
pub const SMALL: Limit = Limit::Bytes(16 << 10);

/// One route.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, in axum's notation.
    pub path: &'static str,
    /// Who may use it.
    pub policy: Policy,
    /// How long its body may be.
    pub limit: Limit,
    handler: MethodRouter<App>,
}

impl Route {
    /// A route.
    pub fn new<T: 'static>(
        (method, path): (Method, &'static str),
        policy: Policy,
        limit: Limit,
        handler: impl Handler<T, App>,
    ) -> Self {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::TRACE);
        Self { method, path, policy, limit, handler: axum::routing::on(filter, handler) }
    }
}

/// Puts guards before the handlers, and the handlers of one path together.
pub(super) fn assemble(routes: Vec<Route>, app: &App) -> Router<App> {
    let mut paths: BTreeMap<&'static str, MethodRouter<App>> = BTreeMap::new();
    for route in routes {
        let guard = guard::Guard { app: app.clone(), policy: route.policy, limit: route.limit };
        let handler =
            route.handler.layer(axum::middleware::from_fn_with_state(guard, guard::guard));
        let merged = match paths.remove(route.path) {
            Some(others) => others.merge(handler),
            None => handler,
        };
        paths.insert(route.path, merged);
    }
    paths.into_iter().fold(Router::new(), |router, (path, handlers)| {
        router.route(path, handlers.fallback(trouble::wrong_method))
    })
}
