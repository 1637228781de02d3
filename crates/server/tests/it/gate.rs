//! Who gets through: every route by its policy, hosts, origins.

use http::Method;
use smartbox_server::http::compat::gone::GONE;
use smartbox_server::http::route::{Policy, Route};
use smartbox_server::http::routes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{MASTER, World};

/// An address of the route that names nothing that is there.
fn address(route: &Route) -> String {
    route
        .path
        .replace("{name}", "nobody")
        .replace("{label}", "nobody")
        .replace("{id}", "nothing")
        .replace("{account}", "nobody")
        .replace("{person}", "nobody")
        .replace("{exec}", "nothing")
        .replace("{*path}", "nothing")
}

#[tokio::test]
async fn every_route_lets_in_whom_its_policy_names_and_nobody_else() {
    let world = World::new().await;
    let cookie = world.sign_in().await;
    let mut seen = [0; 4];
    for route in routes() {
        let path = address(&route);
        let ask = || world.ask(route.method.clone(), &path);
        let none = ask().send().await.unwrap().status().as_u16();
        let wrong = ask().bearer_auth("sba_wrong").send().await.unwrap().status().as_u16();
        let both = ask().bearer_auth("sba_wrong").header("cookie", &cookie);
        let both = both.header("origin", world.origin()).send().await.unwrap().status().as_u16();
        let right = ask().bearer_auth(&world.token).send().await.unwrap().status().as_u16();
        let master = ask().bearer_auth(MASTER).send().await.unwrap().status().as_u16();
        let what = format!("{} {path}", route.method);
        match route.policy {
            Policy::Public => {
                // The start page asks for a sign-in by itself.
                let want = if path == "/" { 401 } else { none };
                assert_eq!((none, wrong), (want, want), "{what}");
                assert!(path == "/" || none != 401, "{what}");
                seen[0] += 1;
            }
            Policy::Admin => {
                assert_eq!((none, wrong, both, right, master), (403, 403, 403, 403, 403), "{what}");
                let sent = ask().header("x-admin-secret", MASTER).send().await.unwrap();
                assert!(![401, 403].contains(&sent.status().as_u16()), "{what}");
                seen[3] += 1;
                continue;
            }
            Policy::Session(_) | Policy::Browser | Policy::Api(_) => {
                assert_eq!((none, wrong, both), (401, 401, 401), "{what}");
                seen[usize::from(matches!(route.policy, Policy::Api(_))) + 1] += 1;
            }
            Policy::Operator(_) => {
                let session = ask().header("cookie", &cookie).header("origin", world.origin());
                let session = session.send().await.unwrap().status().as_u16();
                assert_eq!(
                    (none, wrong, both, right, session),
                    (401, 401, 401, 403, 403),
                    "{what}"
                );
                seen[3] += 1;
            }
        }
        let owner = !matches!(route.policy, Policy::Operator(_));
        assert!(path == "/" || !owner || ![401, 403].contains(&right), "{what}: {right}");
        assert!(path == "/" || ![401, 403].contains(&master), "{what}: {master}");
    }
    assert!(seen.iter().all(|n| *n > 2), "{seen:?}");
}

#[tokio::test]
async fn a_route_that_changes_something_is_no_get() {
    for route in routes() {
        let changes = ["wake", "sleep", "start", "stop", "restart", "exec", "login", "logout"]
            .iter()
            .any(|verb| route.path.ends_with(verb));
        // Some of the original's did; here they only say what replaces them.
        let gone = GONE.iter().any(|gone| gone.path == route.path);
        let may = gone || route.socket || route.method == Method::POST;
        assert!(!changes || may, "{}", route.path);
    }
}

#[tokio::test]
async fn a_session_changes_nothing_unless_our_own_page_asks() {
    let world = World::new().await;
    let cookie = world.sign_in().await;
    let port = world.port;
    for (headers, want) in [
        (vec![], 403),
        (vec![("origin", format!("http://pa.localhost:{port}"))], 403),
        (vec![("origin", "http://evil.example".to_owned())], 403),
        (vec![("origin", "null".to_owned())], 403),
        (vec![("sec-fetch-site", "same-site".to_owned())], 403),
        (vec![("sec-fetch-site", "none".to_owned())], 403),
        (vec![("origin", world.origin()), ("sec-fetch-site", "cross-site".to_owned())], 403),
        (vec![("origin", world.origin())], 404),
        (vec![("sec-fetch-site", "same-origin".to_owned())], 404),
    ] {
        let mut request =
            world.ask(Method::POST, "/api/v1/boxes/nobody/wake").header("cookie", &cookie);
        for (name, value) in &headers {
            request = request.header(*name, value);
        }
        let status = request.send().await.unwrap().status().as_u16();
        assert_eq!(status, want, "{headers:?}");
    }
    // Nor does a bearer, if another site's page carries it.
    let request = world.as_owner(Method::POST, "/api/v1/boxes/nobody/wake");
    let answer = request.header("origin", "http://evil.example").send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let answer = world.ask(Method::GET, "/api/v1/boxes").header("cookie", &cookie).send().await;
    assert_eq!(answer.unwrap().status(), 200);
}

/// Sends bytes as they are and returns the first line of the answer.
async fn raw(world: &World, text: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", world.port)).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = vec![0; 64];
    let read = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn another_sites_name_does_not_reach_the_platform() {
    let world = World::new().await;
    for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80"] {
        for path in ["/", "/health", "/api/v1/boxes", "/assets/page.css"] {
            let request = world.as_owner(Method::GET, path).header("host", host);
            assert_eq!(request.send().await.unwrap().status(), 421, "{host} {path}");
        }
    }
    for host in ["localhost", "[::1]:9", "10.1.2.3"] {
        let request = world.as_owner(Method::GET, "/api/v1/boxes").header("host", host);
        assert_eq!(request.send().await.unwrap().status(), 200, "{host}");
    }
    for text in [
        "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
        "GET /health HTTP/1.1\r\n\r\n",
        "GET http://evil.example/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "GET http://127.0.0.1/health HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    ] {
        let line = raw(&world, text).await;
        assert!(line.contains(" 421 ") || line.contains(" 400 "), "{text}: {line}");
    }
}

#[tokio::test]
async fn the_api_is_not_on_a_boxs_host() {
    let world = World::new().await;
    let cookie = world.sign_in().await;
    for path in ["/api/v1/boxes", "/api/v1/status", "/boxes", "/open/pa"] {
        let request = world.to_box(Method::GET, "pa", path).bearer_auth(&world.token);
        let answer = request.header("cookie", &cookie).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
        let text = answer.text().await.unwrap();
        assert!(!text.contains("box_"), "{path}: {text}");
    }
}

#[tokio::test]
async fn in_dev_mode_nobody_signs_in_and_other_sites_are_kept_out_all_the_same() {
    let world = World::dev().await;
    let list = || world.ask(Method::GET, "/api/v1/boxes");
    assert_eq!(list().send().await.unwrap().status(), 200);
    assert_eq!(list().bearer_auth("sba_wrong").send().await.unwrap().status(), 401);
    // A name that another site made lead here.
    let rebound = list().header("host", "evil.example").send().await.unwrap();
    assert_eq!(rebound.status().as_u16(), 421);
    let sleep = || world.ask(Method::POST, "/api/v1/boxes/pa/sleep").json(&serde_json::json!({}));
    for origin in ["http://evil.example", "null", &format!("http://pa.localhost:{}", world.port)] {
        let answer = sleep().header("origin", origin).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{origin}");
    }
    assert!(sleep().send().await.unwrap().status().is_success());
    // Whoever comes is nobody's operator.
    let other = list().header("smartbox-account", "me").send().await.unwrap();
    assert_eq!(other.status(), 403);
    let page = world.ask(Method::GET, "/").header("accept", "text/html").send().await.unwrap();
    assert!(page.status() == 200 && page.text().await.unwrap().contains("/open/pa"));
}
