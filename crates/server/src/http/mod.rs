//! The platform's own origin: its API and its few pages. Every route says who may use it
//! ([`route::Policy`]); one that does not say so cannot be written down.

mod account;
mod audit;
mod body;
mod bulk;
mod codes;
pub mod compat;
mod config;
mod cookie;
mod cut;
mod dashboard;
mod device;
pub mod dispatch;
pub mod doc;
mod egress;
mod exec;
mod execs;
mod file;
mod guard;
mod health;
mod history;
mod issue;
mod job;
mod kind;
mod log;
mod lost;
mod member;
mod message;
pub(crate) mod metrics;
mod moves;
mod once;
mod origin;
mod outer;
mod page;
mod person;
mod principal;
pub(crate) mod reminder;
mod revision;
pub mod route;
mod secret;
mod session;
mod share;
mod smartbox;
mod snapshot;
mod status;
mod stream;
pub mod table;
mod tier;
mod token;
mod toll;
mod tombstone;
mod trouble;
mod vault;
mod vouched;
mod whoami;

use std::sync::Arc;

use axum::Router;

use crate::app::App;

pub use health::LastLook;
pub use principal::Peer;

/// The nouns, each with its routes.
const NOUNS: &[fn() -> Vec<route::Route>] = &[
    health::routes,
    metrics::routes,
    doc::routes,
    page::routes,
    status::routes,
    whoami::routes,
    person::routes,
    account::routes,
    member::routes,
    dashboard::routes,
    device::routes,
    issue::routes,
    smartbox::routes,
    share::routes,
    kind::routes,
    tier::routes,
    job::routes,
    bulk::routes,
    message::routes,
    session::routes,
    history::routes,
    config::routes,
    exec::routes,
    execs::routes,
    file::routes,
    log::routes,
    snapshot::routes,
    tombstone::routes,
    lost::routes,
    moves::routes,
    secret::routes,
    vault::routes,
    egress::routes,
    token::routes,
    audit::routes,
    compat::routes,
];

/// Every route of the platform's origin.
pub fn routes() -> Vec<route::Route> {
    NOUNS.iter().flat_map(|noun| noun()).collect()
}

/// The routes as a service.
pub fn router(app: &App) -> Router {
    // One noun after the other: what all of them say of themselves takes fifteen megabytes at once.
    route::assemble(NOUNS.iter().flat_map(|noun| noun()), app)
        .fallback(trouble::nowhere)
        .layer(axum::Extension(Arc::<doc::Documents>::default()))
        .layer(axum::middleware::from_fn_with_state(app.clone(), outer::outer))
        .with_state(app.clone())
}
