//! `GET /api/openapi.json` and `GET /api/docs`: the document, for programs and for people. Made once.

use std::sync::Arc;

use axum::Extension;
use axum::response::{Html, IntoResponse};
use bytes::Bytes;
use http::Method;
use http::header::CONTENT_TYPE;
use smartbox_api::paths;

use super::super::route::{Policy, Route, SMALL};
use super::{document, html};

/// The document, rendered both ways.
pub(in crate::http) struct Documents {
    json: Bytes,
    html: String,
}

impl Documents {
    pub(in crate::http) fn of(routes: &[Route]) -> Arc<Self> {
        let document = document(routes);
        let json = serde_json::to_vec(&document).unwrap_or_default();
        Arc::new(Self { json: json.into(), html: html::page(&document) })
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
    ([(CONTENT_TYPE, "application/json")], documents.json.clone())
}

async fn page(Extension(documents): Extension<Arc<Documents>>) -> Html<String> {
    Html(documents.html.clone())
}
