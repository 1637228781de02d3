//! `GET /metrics` on a listener that has nothing else, and asks for no token: it is on the loopback.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HOST};

use super::get::text;
use crate::app::App;
use crate::metrics::MEDIA_TYPE;

/// The one route.
pub(crate) fn alone(app: &App) -> Router {
    Router::new().route("/metrics", get(answer)).with_state(app.clone())
}

async fn answer(State(app): State<App>, request: Request) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    if !host.is_some_and(is_here) {
        return (StatusCode::MISDIRECTED_REQUEST, "ask by a loopback address\n").into_response();
    }
    ([(CONTENT_TYPE, MEDIA_TYPE)], text(&app)).into_response()
}

/// A page of a name that was made to lead here must not read it through its visitor's browser.
fn is_here(host: &str) -> bool {
    let name = match host.parse::<std::net::SocketAddr>() {
        Ok(address) => return address.ip().is_loopback(),
        Err(_) => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_here;

    #[test]
    fn only_names_of_this_machine_lead_here() {
        for host in
            ["127.0.0.1:9464", "127.0.0.1", "localhost:9464", "localhost", "[::1]:1", "[::1]"]
        {
            assert!(is_here(host), "{host}");
        }
        for host in [
            "evil.example:9464",
            "127.0.0.1.evil.example",
            "10.0.0.1:9464",
            "localhost.evil.example",
            "",
        ] {
            assert!(!is_here(host), "{host}");
        }
    }
}
