//! Smartboxes: list, make, look, remove, and the verbs.

mod act;
mod create;
mod get;
mod link;
mod list;
mod remove;
mod view;

use http::Method;

use super::route::{Policy, Route, SMALL};

const ALL: &str = "/api/v1/boxes";
const ONE: &str = "/api/v1/boxes/{name}";

pub(super) fn routes() -> Vec<Route> {
    let api = Policy::Api;
    vec![
        Route::new((Method::GET, ALL), api, SMALL, list::list),
        Route::new((Method::POST, ALL), api, SMALL, create::create),
        Route::new((Method::GET, ONE), api, SMALL, get::get),
        Route::new((Method::DELETE, ONE), api, SMALL, remove::remove),
        Route::new((Method::POST, "/api/v1/boxes/{name}/wake"), api, SMALL, act::wake),
        Route::new((Method::POST, "/api/v1/boxes/{name}/sleep"), api, SMALL, act::sleep),
        Route::new((Method::POST, "/api/v1/boxes/{name}/start"), api, SMALL, act::start),
        Route::new((Method::POST, "/api/v1/boxes/{name}/stop"), api, SMALL, act::stop),
        Route::new((Method::POST, "/api/v1/boxes/{name}/restart"), api, SMALL, act::restart),
        Route::new((Method::POST, "/api/v1/boxes/{name}/link"), api, SMALL, link::link),
    ]
}
