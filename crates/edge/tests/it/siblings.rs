//! Boxes below one real domain, `a.example.test` and `b.example.test`, which browsers take for one site:
//! what a hostile one answers reaches neither its siblings nor the platform, and what its page sends is
//! not believed.

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body_util::Full;
use smartbox_edge::Scheme;

use crate::support::{Answer, Front, World, engine, mirror};

const BOX: &str = "pa.example.test";
const COOKIE: &str = "cookie: __Host-smartbox_session=good\r\n";

/// Under TLS, in front of an engine that answers with these header lines.
async fn answering(lines: &'static [(&'static str, &'static str)]) -> Front {
    let hostile = engine(move |_| async move {
        let mut response = Response::new(Full::<bytes::Bytes>::from("hostile"));
        for (name, value) in lines {
            let name = HeaderName::from_static(name);
            response.headers_mut().append(name, HeaderValue::from_static(value));
        }
        response
    })
    .await;
    under_tls(World::new(Some(hostile))).await
}

async fn under_tls(world: std::sync::Arc<World>) -> Front {
    Front::with(world, |settings| {
        settings.scheme = Scheme::Https;
        settings.port = 443;
        settings.bases = vec!["example.test".into()];
    })
    .await
}

async fn ask(front: &Front, line: &str, headers: &str) -> Answer {
    let text =
        format!("{line} HTTP/1.1\r\nhost: {BOX}\r\nconnection: close\r\n{COOKIE}{headers}\r\n");
    front.raw(text).await
}

/// Every line of an answer's head.
fn lines(answer: &Answer) -> HeaderMap {
    let pairs = answer.head.lines().skip(1).filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.parse().unwrap(), value.trim().parse().unwrap())).collect()
}

fn all<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn cookies_are_tossed_to_nobody() {
    let front = answering(&[
        ("set-cookie", "a=1; Domain=example.test; Path=/; Secure"),
        ("set-cookie", "b=2; dOmAiN=.example.test"),
        ("set-cookie", "c=3;Domain=pa.example.test; domain = example.test ;HttpOnly"),
        ("set-cookie", "__Host-smartbox_session=evil; Path=/; Secure"),
        ("set-cookie", "__host-Smartbox_Session=evil; Path=/; Secure; Domain=example.test"),
        ("set-cookie", "smartbox_session=evil; Domain=example.test"),
        ("set-cookie", "CF_Authorization=evil; Domain=example.test; Path=/"),
        ("set-cookie", "=__Host-smartbox_session=evil; Domain=example.test"),
        ("set-cookie2", "d=4; Domain=example.test"),
    ])
    .await;
    let headers = lines(&ask(&front, "GET /", "").await);
    assert_eq!(all(&headers, "set-cookie"), ["a=1; Path=/; Secure", "b=2", "c=3; HttpOnly"]);
    assert!(!headers.contains_key("set-cookie2"));
}

#[tokio::test]
async fn a_cookie_that_a_siblings_script_tossed_signs_nobody_in_and_shuts_nobody_out() {
    // Scripts may set one for the whole domain; not of a name with `__Host-`, which has no domain.
    let front = under_tls(World::new(Some(mirror().await))).await;
    let tossed = "cookie: smartbox_session=good; smartbox_session=evil\r\n";
    let head = format!("GET / HTTP/1.1\r\nhost: {BOX}\r\nconnection: close\r\n");
    assert_eq!(front.raw(format!("{head}{tossed}\r\n")).await.status, 401);
    let answer = front.raw(format!("{head}{tossed}{COOKIE}\r\n")).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.body.contains("smartbox_session"), "{answer:?}");
}

#[tokio::test]
async fn nothing_of_the_domain_is_emptied_moved_or_made_unsafe() {
    let front = answering(&[
        ("clear-site-data", "\"cookies\", \"storage\", \"cache\""),
        ("alt-svc", "h3=\"evil.example:443\"; ma=86400"),
        ("strict-transport-security", "max-age=0"),
        ("strict-transport-security", "max-age=1; includeSubDomains; preload"),
    ])
    .await;
    let headers = lines(&ask(&front, "GET /", "").await);
    assert!(!headers.contains_key("clear-site-data") && !headers.contains_key("alt-svc"));
    assert_eq!(all(&headers, "strict-transport-security"), ["max-age=31536000"]);
}

#[tokio::test]
async fn no_cache_in_between_is_poisoned() {
    let front = answering(&[
        ("cache-control", "public, s-maxage=31536000, max-age=31536000"),
        ("cdn-cache-control", "max-age=31536000"),
        ("surrogate-control", "max-age=31536000"),
        ("x-accel-expires", "31536000"),
        ("x-accel-redirect", "/internal/secret"),
        ("x-sendfile", "/etc/passwd"),
    ])
    .await;
    let headers = lines(&ask(&front, "GET /app.js", "").await);
    assert_eq!(all(&headers, "cache-control"), ["private, max-age=31536000"]);
    for name in [
        "cdn-cache-control",
        "surrogate-control",
        "x-accel-expires",
        "x-accel-redirect",
        "x-sendfile",
    ] {
        assert!(!headers.contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn no_sibling_frames_holds_or_loads_a_boxs_page() {
    let front = answering(&[("content-security-policy", "default-src *")]).await;
    let headers = lines(&ask(&front, "GET /", "").await);
    assert_eq!(
        all(&headers, "content-security-policy"),
        ["default-src *", "frame-ancestors 'self'"],
        "a browser holds itself to both"
    );
    for (name, value) in [
        ("x-frame-options", "SAMEORIGIN"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin-allow-popups"),
        ("cross-origin-resource-policy", "same-origin"),
        ("origin-agent-cluster", "?1"),
    ] {
        assert_eq!(all(&headers, name), [value], "{name}");
    }
    // Not even asked for, where the browser says who asks.
    for (mode, dest) in
        [("no-cors", "script"), ("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe")]
    {
        let said = format!(
            "sec-fetch-site: same-site\r\nsec-fetch-mode: {mode}\r\nsec-fetch-dest: {dest}\r\n"
        );
        assert_eq!(ask(&front, "GET /", &said).await.status, 403, "{dest}");
    }
    assert_eq!(World::count(&front.world.dials), 1);
}

#[tokio::test]
async fn a_siblings_page_opens_no_socket_and_changes_nothing() {
    let front = under_tls(World::new(Some(mirror().await))).await;
    let socket = "connection: upgrade, close\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                  sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    for origin in [
        "https://b.example.test",
        "https://example.test",
        "http://pa.example.test",
        "https://pa.example.test:8443",
        "https://pa.example.test.evil.example",
        "null",
    ] {
        let text =
            format!("GET /x HTTP/1.1\r\nhost: {BOX}\r\n{COOKIE}{socket}origin: {origin}\r\n\r\n");
        assert_eq!(front.raw(text).await.status, 403, "a socket from {origin}");
        let said = format!("origin: {origin}\r\n");
        assert_eq!(ask(&front, "POST /x", &said).await.status, 403, "a change from {origin}");
    }
    assert_eq!(World::count(&front.world.dials), 0);
}
