//! `GET /api/openapi.json` and `GET /api/docs`: the document, for programs and for people. Made once, when
//! somebody asks for it first: most platforms are never asked.

use std::sync::{Arc, OnceLock};

use axum::Extension;
use axum::response::{Html, IntoResponse};
use bytes::Bytes;
use http::Method;
use http::header::CONTENT_TYPE;
use smartbox_api::paths;

use super::super::route::{Policy, Route, SMALL};
use super::{document, html};

/// The document, rendered both ways.
#[derive(Default)]
pub(in crate::http) struct Documents(OnceLock<(Bytes, Bytes)>);

impl Documents {
    fn made(&self) -> &(Bytes, Bytes) {
        self.0.get_or_init(|| {
            let document = document(&super::super::routes());
            let json = serde_json::to_vec(&document).unwrap_or_default();
            (json.into(), html::page(&document).into())
        })
    }
}

/// Anybody may read how the platform is asked: it is the same everywhere.
pub(in crate::http) fn routes() -> Vec<Route> {
    vec![
        Route::page((Method::GET, paths::OPENAPI), Policy::Public, SMALL, json),
        Route::page((Method::GET, paths::DOCS), Policy::Public, SMALL, page),
    ]
}

async fn json(Extension(documents): Extension<Arc<Documents>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], documents.made().0.clone())
}

async fn page(Extension(documents): Extension<Arc<Documents>>) -> Html<Bytes> {
    Html(documents.made().1.clone())
}
