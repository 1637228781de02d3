//! The table of routes. A [`Route`] cannot be made without a [`Policy`] and a bound for its body, and
//! one of the API not without its operation in the OpenAPI document.

use std::collections::BTreeMap;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};
use http::Method;
use smartbox_api::problem::Code;
use smartbox_core::person::Right;
use utoipa_axum::router::UtoipaMethodRouter;

use super::doc::Described;
use super::{guard, once, trouble};
use crate::app::App;

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Everyone who reaches the listener.
    Public,
    /// A browser with a session on the platform's origin, of somebody who may this; another one is asked
    /// to sign in.
    Session(Right),
    /// The same, also of a browser that has to show its key first, or that nobody has let in yet: where it
    /// does that, and where it goes out again.
    Browser,
    /// The local command line, a bearer, or a session, of somebody who may this with the box, or with
    /// the account; changes by a session only from our own pages.
    Api(Right),
    /// Whoever sends the master token in `X-Admin-Secret`, as the original's admin calls are made.
    Admin,
    /// The local command line, the bearer of the master token or of an operator's key, or a person who
    /// is an operator, and may this.
    Operator(Right),
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

/// What `routes!` says of a handler.
pub struct Handled {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) handler: MethodRouter<App>,
    pub(super) rest: fn() -> UtoipaMethodRouter<App>,
}

/// A handler with the method and the path of its `#[utoipa::path]`. `utoipa_axum::routes!` says all that
/// the document has of it, too: megabytes over all routes, which are made when somebody reads them.
macro_rules! routes {
    ($($handler:tt)+) => {{
        let methods = utoipa_axum::routes!(@path [methods()] of $($handler)+);
        let (method, filter) = $crate::http::doc::method(&methods);
        $crate::http::route::Handled {
            path: utoipa_axum::routes!(@path [path()] of $($handler)+),
            handler: axum::routing::on(filter, $($handler)+),
            method,
            rest: || utoipa_axum::routes!($($handler)+),
        }
    }};
}
pub(super) use routes;

/// What the document will have of a route.
struct Describe {
    rest: fn() -> UtoipaMethodRouter<App>,
    codes: &'static [Code],
}

/// One route.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, in axum's notation.
    pub path: String,
    /// Who may use it.
    pub policy: Policy,
    /// How long its body may be.
    pub limit: Limit,
    /// What the OpenAPI document says of it; `None` for pages.
    describe: Option<Describe>,
    /// Whether it opens a WebSocket: a `GET` to whose asker all applies that applies to a change.
    pub socket: bool,
    /// Whether it gives somebody a way in: a browser that has a key shows it with the very request.
    pub gives: bool,
    handler: MethodRouter<App>,
}

impl Route {
    /// A route of the API: `routes!(handler)`, whose `#[utoipa::path]` names method, path and
    /// replies, and the codes that it is refused with besides those that every such route has (see
    /// [`Described::codes`]).
    pub fn api(handled: Handled, policy: Policy, limit: Limit, codes: &'static [Code]) -> Self {
        let Handled { method, path, handler, rest } = handled;
        let describe = Some(Describe { rest, codes });
        Self { method, path, policy, limit, describe, socket: false, gives: false, handler }
    }

    /// What the OpenAPI document says of it; `None` for pages.
    pub fn described(&self) -> Option<Described> {
        let Describe { rest, codes } = self.describe.as_ref()?;
        let (schemas, paths, _) = rest();
        let operation = super::doc::only(paths);
        Some(Described::new(operation, schemas, &self.method, self.policy, self.limit, codes))
    }

    /// Whether its asker may send a key, under which it is done once.
    pub(super) fn has_key(&self) -> bool {
        once::stands_before(&self.method, self.policy, self.limit)
    }

    /// A page, or what belongs to one. Nothing under `/api/v1` is a page: whoever tries finds that
    /// the platform does not boot.
    pub fn page<T: 'static>(
        (method, path): (Method, &'static str),
        policy: Policy,
        limit: Limit,
        handler: impl Handler<T, App>,
    ) -> Self {
        assert!(!path.starts_with(smartbox_api::paths::API), "{path} has no OpenAPI operation");
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::TRACE);
        let handler = axum::routing::on(filter, handler);
        Self {
            method,
            path: path.to_owned(),
            policy,
            limit,
            describe: None,
            socket: false,
            gives: false,
            handler,
        }
    }

    /// The same, as one that opens a WebSocket.
    #[must_use]
    pub fn socket(self) -> Self {
        Self { socket: true, ..self }
    }

    /// The same, as one that gives somebody a way in: a cookie that was taken must not become one that
    /// lasts.
    #[must_use]
    pub fn gives(self) -> Self {
        Self { gives: true, ..self }
    }
}

/// Puts guards before the handlers, and the handlers of one path together.
pub(super) fn assemble(routes: impl Iterator<Item = Route>, app: &App) -> Router<App> {
    let mut paths: BTreeMap<String, MethodRouter<App>> = BTreeMap::new();
    for route in routes {
        let (policy, limit, socket, gives) = (route.policy, route.limit, route.socket, route.gives);
        let guard = guard::Guard { app: app.clone(), policy, limit, socket, gives };
        let handler = if route.has_key() {
            route.handler.layer(axum::middleware::from_fn_with_state(app.clone(), once::once))
        } else {
            route.handler
        };
        let handler = handler.layer(axum::middleware::from_fn_with_state(guard, guard::guard));
        let merged = match paths.remove(&route.path) {
            Some(others) => others.merge(handler),
            None => handler,
        };
        paths.insert(route.path, merged);
    }
    paths.into_iter().fold(Router::new(), |router, (path, handlers)| {
        router.route(&path, handlers.fallback(trouble::wrong_method))
    })
}
