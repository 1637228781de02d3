//! The original platform's admin calls, as it documented them: the same paths, fields and meaning, as a
//! thin layer over what `/api/v1` does. Whoever sends `X-Admin-Secret` with the master token is an
//! operator. A user is an account; its PA box is meant.
//!
//! What is absent: anything of its own. Nothing is kept here, and no bug is reproduced: no GET changes
//! anything, no failure is a 200, and every answer that is pending says where its end can be read.

pub mod answered;
mod bulk;
mod config;
mod devices;
mod exec;
mod files;
pub mod gone;
mod logs;
mod message;
pub mod page;
mod restart;
mod secrets;
mod sessions;
mod shape;
mod state;
mod storage;
mod user;
mod wake;

use http::Method;
use smartbox_core::person::Right;

use super::route::{Limit, Policy, Route, SMALL};

pub(super) use shape::{answers, problem};

/// A command line with its variables.
const ORDER: Limit = Limit::Bytes(64 << 10);
/// A configuration.
const CONFIG: Limit = Limit::Bytes(2 * smartbox_api::config::MAX_DOCUMENT);
/// Names of some thousand users.
const MANY: Limit = Limit::Bytes(256 << 10);
/// The same, and a patch.
const PATCH: Limit = Limit::Bytes((256 << 10) + 2 * smartbox_api::config::MAX_DOCUMENT);
/// Files as text in JSON; larger ones go through `/api/v1`, which streams.
const FILES: Limit = Limit::Bytes(16 << 20);
/// Seven secrets.
const SECRETS: Limit = Limit::Bytes(8 * smartbox_api::secret::MAX_VALUE);
/// A message, and the JSON around it.
const TEXT: Limit = Limit::Bytes(2 * smartbox_api::message::MAX_TEXT);

pub(super) fn routes() -> Vec<Route> {
    let admin = Policy::Admin;
    let get = |path| (Method::GET, path);
    let post = |path| (Method::POST, path);
    let mut routes = vec![
        Route::page(get("/api/super/users"), admin, SMALL, user::list),
        Route::page(get("/api/super/users/lookup/{name}"), admin, SMALL, user::lookup),
        Route::page(get("/api/super/state/dashboard"), admin, SMALL, state::dashboard),
        Route::page(post("/api/super/bulk/restart"), admin, MANY, bulk::restart),
        Route::page(post("/api/super/bulk/config-patch"), admin, PATCH, bulk::config_patch),
        Route::page(get("/api/super/users/{id}/state"), admin, SMALL, state::one),
        Route::page(get("/api/super/users/{id}/state/v2"), admin, SMALL, state::one),
        Route::page(post("/api/super/users/{id}/wake"), admin, SMALL, wake::wake),
        Route::page(post("/api/super/users/{id}/restart-async"), admin, SMALL, restart::restart),
        Route::page(get("/api/super/users/{id}/config"), admin, SMALL, config::get),
        Route::page((Method::PUT, "/api/super/users/{id}/config"), admin, CONFIG, config::put),
        Route::page((Method::PATCH, "/api/super/users/{id}/config"), admin, CONFIG, config::patch),
        Route::page(get("/api/super/users/{id}/config/history"), admin, SMALL, config::history),
        Route::page(post("/api/super/users/{id}/config/rollback"), admin, SMALL, config::roll_back),
        Route::page(post("/api/super/users/{id}/config/reload"), admin, SMALL, config::reload),
        Route::page(post("/api/super/users/{id}/exec"), admin, ORDER, exec::post),
        Route::page(get("/api/super/users/{id}/exec/{exec}/status"), admin, SMALL, exec::status),
        Route::page(get("/api/super/users/{id}/files"), admin, SMALL, files::list),
        Route::page(get("/api/super/users/{id}/files/{*path}"), admin, SMALL, files::get),
        Route::page((Method::PUT, "/api/super/users/{id}/files/{*path}"), admin, FILES, files::put),
        Route::page(
            (Method::DELETE, "/api/super/users/{id}/files/{*path}"),
            admin,
            SMALL,
            files::delete,
        ),
        Route::page(post("/api/super/users/{id}/files/batch"), admin, FILES, files::batch),
        Route::page(get("/api/super/users/{id}/logs"), admin, SMALL, logs::get),
        Route::page(post("/api/super/users/{id}/message"), admin, TEXT, message::post),
        Route::page(get("/api/super/users/{id}/sessions"), admin, SMALL, sessions::list),
    ];
    routes.extend([
        Route::page(get("/api/super/users/{id}/r2-status"), admin, SMALL, storage::status),
        Route::page(get("/api/super/users/{id}/r2-health"), admin, SMALL, storage::health),
        Route::page(post("/api/super/users/{id}/sync-async"), admin, SMALL, storage::sync),
    ]);
    // What a person did on the original's own page, who was signed in.
    let (own, manage) = (Policy::Api(Right::Own), Policy::Api(Right::Manage));
    routes.extend([
        Route::page(get("/api/admin/devices"), manage, SMALL, devices::list),
        Route::page(post("/api/admin/devices/approve-all"), manage, SMALL, devices::approve_all),
        Route::page(post("/api/admin/devices/{id}/approve"), manage, SMALL, devices::approve),
        Route::page(get("/api/admin/storage"), own, SMALL, storage::storage),
        Route::page(post("/api/admin/storage/sync"), own, SMALL, storage::sync_storage),
        Route::page(get("/api/admin/secrets"), own, SMALL, secrets::list),
        Route::page((Method::PUT, "/api/admin/secrets"), own, SECRETS, secrets::put),
        Route::page((Method::DELETE, "/api/admin/secrets/{key}"), own, SMALL, secrets::remove),
    ]);
    routes.extend(gone::routes());
    routes
}
