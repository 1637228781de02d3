//! Style, script and icon: compiled in.

use axum::response::IntoResponse;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

type Asset = ([(http::HeaderName, &'static str); 2], &'static str);

fn asset(kind: &'static str, text: &'static str) -> Asset {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=3600")], text)
}

pub(super) async fn style() -> impl IntoResponse {
    asset("text/css; charset=utf-8", include_str!("../../../assets/page.css"))
}

pub(super) async fn browser() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", include_str!("../../../assets/browser.js"))
}

pub(super) async fn invited() -> impl IntoResponse {
    asset("text/javascript; charset=utf-8", include_str!("../../../assets/invited.js"))
}

pub(super) async fn icon() -> impl IntoResponse {
    asset("image/svg+xml", include_str!("../../../assets/icon.svg"))
}
