//! The admin routes of the original that are not answered, and what replaces each. They say so with 410,
//! so that an old script learns at once what to call.

use axum::extract::MatchedPath;
use http::Method;
use smartbox_api::problem::Code;

use crate::http::route::{Policy, Route, SMALL};
use crate::http::trouble::Trouble;

/// A route that is gone.
pub struct Gone {
    /// `GET`, `POST`, …, or `*` for every method.
    pub method: &'static str,
    /// Its path, in axum's notation.
    pub path: &'static str,
    /// What does its work now.
    pub instead: &'static str,
}

const fn gone(method: &'static str, path: &'static str, instead: &'static str) -> Gone {
    Gone { method, path, instead }
}

const SNAPSHOTS: &str =
    "`POST /api/super/users/{id}/sync-async` or `POST /api/v1/boxes/{box}/snapshots`";
const SNAPSHOTS_OF: &str = "`GET /api/v1/boxes/{box}/snapshots`";
const LATER_COST: &str = "`GET /api/v1/boxes/{box}` has `usage` in tokens; prices come later";
const STATE: &str = "`GET /api/super/users/{id}/state/v2` or `GET /api/v1/boxes/{box}`";
const RESTART: &str =
    "`POST /api/super/users/{id}/restart-async` or `POST /api/v1/boxes/{box}/restart`";
const ISSUES: &str = "`GET /api/v1/issues`";
const LOGS: &str = "`GET /api/super/users/{id}/logs` or `GET /api/v1/boxes/{box}/logs`";
const FILES: &str = "`GET /api/super/users/{id}/files` or `GET /api/v1/boxes/{box}/files`";
const EXEC: &str = "`POST /api/super/users/{id}/exec` or `POST /api/v1/boxes/{box}/execs`";
const USERS: &str = "`GET /api/super/users` or `GET /api/v1/accounts`";
const RELAY: &str = "nothing yet: smartboxes that write to one another come with a later version";
const BROWSER: &str = "nothing yet: browser automation comes with a later version";

/// Every one of them.
pub const GONE: &[Gone] = &[
    // Registry and storage.
    gone("GET", "/api/super/resources", "`GET /api/v1/dashboard`"),
    gone("GET", "/api/super/users/{id}/inspect", STATE),
    gone("GET", "/api/super/users/{id}/check-files", FILES),
    gone("GET", "/api/super/users/{id}/force-sync", SNAPSHOTS),
    gone("POST", "/api/super/users/{id}/backup-safe", SNAPSHOTS),
    // Seven ways to restart were one too many by six.
    gone("GET", "/api/super/users/{id}/force-restart", RESTART),
    gone("POST", "/api/super/users/{id}/emergency-reset", RESTART),
    // Cost.
    gone("GET", "/api/super/cost", LATER_COST),
    gone("GET", "/api/super/cost/{*rest}", LATER_COST),
    // The person's own admin page.
    gone("GET", "/api/gateway-token", "nothing: no credential of the engine reaches a browser"),
    gone("*", "/api/admin/gateway/restart", RESTART),
    gone("POST", "/api/admin/container/reset", RESTART),
    gone("GET", "/api/admin/users", USERS),
    gone("GET", "/api/admin/users/search", USERS),
    gone("GET", "/api/admin/users/{id}", USERS),
    gone("POST", "/api/admin/users/{id}/restart", RESTART),
    gone("POST", "/api/admin/users/{id}/reset", RESTART),
    gone("GET", "/api/admin/users/{id}/debug", LOGS),
    gone("GET", "/api/admin/dashboard", "`GET /api/v1/dashboard`"),
    gone("GET", "/api/admin/sync-history/{id}", SNAPSHOTS_OF),
    gone("GET", "/api/admin/issues", ISSUES),
    gone("POST", "/api/admin/issues", "nothing: issues are opened by what is observed"),
    gone("GET", "/api/admin/issues/{issue}", ISSUES),
    gone("POST", "/api/admin/issues/{issue}/resolve", "`POST /api/v1/issues/{id}/resolve`"),
    gone("POST", "/api/admin/issues/cleanup", "nothing: old issues are removed by themselves"),
    gone("*", "/emergency-reset", RESTART),
    // Debugging.
    gone("GET", "/debug-bypass", "`smartbox doctor`"),
    gone("*", "/debug/version", "`GET /api/v1/status`"),
    gone("*", "/debug/processes", LOGS),
    gone("*", "/debug/gateway-api", "`smartbox exec`, and the box's own address"),
    gone("*", "/debug/cli", EXEC),
    gone("*", "/debug/logs", LOGS),
    gone("*", "/debug/ws-test", "`smartbox chat`"),
    gone("*", "/debug/env", "`smartbox config check`"),
    gone("*", "/debug/sync-status", SNAPSHOTS_OF),
    gone("*", "/debug/container-config", "`GET /api/v1/boxes/{box}/config`"),
    gone("*", "/debug/container-reset", RESTART),
    gone(
        "*",
        "/debug/admin/{*rest}",
        "the calls of `/api/v1` for the same noun, each with a sign-in",
    ),
    // What later features will answer.
    gone("*", "/cdp", BROWSER),
    gone("*", "/cdp/{*rest}", BROWSER),
    gone("*", "/relay", RELAY),
    gone("*", "/relay/{*rest}", RELAY),
];

/// Each of them as a route. Whoever may not call it learns nothing of it.
pub(super) fn routes() -> Vec<Route> {
    let each = GONE.iter().flat_map(|gone| methods(gone).map(|method| (method, gone.path)));
    each.map(|route| Route::page(route, Policy::Admin, SMALL, answer)).collect()
}

fn methods(gone: &Gone) -> impl Iterator<Item = Method> {
    const EVERY: [Method; 4] = [Method::GET, Method::POST, Method::PUT, Method::DELETE];
    EVERY.into_iter().filter(|method| gone.method == "*" || gone.method == method.as_str())
}

/// The row is found by the route that matched, not by what was asked.
async fn answer(method: Method, matched: MatchedPath) -> Trouble {
    let row = GONE.iter().find(|gone| {
        gone.path == matched.as_str() && (gone.method == "*" || gone.method == method.as_str())
    });
    Trouble::new(
        Code::Gone,
        "the original platform had this call, and this one has it under another name or not yet",
        format!("use instead: {}", row.map_or("", |row| row.instead)),
    )
}
