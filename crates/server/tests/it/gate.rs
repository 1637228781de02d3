//! Who gets through: every route by its policy, hosts, origins.

use http::Method;
use smartbox_server::http::compat::gone::GONE;
use smartbox_server::http::route::{Policy, Route};
use smartbox_server::http::routes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{MASTER, World, by_its_key, cookie};

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
                // Anew each time: one of these calls ends every sign-in.
                let session = ask().header("cookie", world.sign_in().await);
                let session = session.header("origin", world.origin());
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
        // Leads to the form, and signs nobody in.
        let leads = route.path == "/login" && route.method == Method::GET;
        let may = gone || leads || route.socket || route.method == Method::POST;
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
        // The sheet of the page that says so is the same for everybody; no script is.
        for path in ["/", "/health", "/api/v1/boxes", "/assets/browser.js"] {
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

/// Presses the button of the sign-in page that needs no token, said to be from there.
fn press(world: &World, next: &str) -> reqwest::RequestBuilder {
    world.ask(Method::POST, "/login/dev").form(&[("next", next)])
}

#[tokio::test]
async fn in_dev_mode_a_button_signs_in_and_nothing_comes_by_itself() {
    let world = World::dev().await;
    let ask = |path| world.ask(Method::GET, path).header("accept", "text/html").send();
    assert_eq!(ask("/api/v1/boxes").await.unwrap().status(), 401, "being here is no proof");
    let page = ask("/device?code=BCDF-GHJK").await.unwrap();
    assert_eq!(page.status(), 401);
    let text = page.text().await.unwrap();
    assert!(text.contains("action=\"/login/dev\"") && text.contains("without a token"), "{text}");
    for (next, want) in
        [("/device?code=BCDF-GHJK", "/device?code=BCDF-GHJK"), ("//evil.example", "/")]
    {
        let answer = press(&world, next).header("origin", world.origin()).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["location"]),
            (303, &by_its_key(want).parse().unwrap())
        );
        let session = cookie(&answer).unwrap();
        let boxes = world.ask(Method::GET, "/api/v1/boxes").header("cookie", &session);
        assert_eq!(boxes.send().await.unwrap().status(), 200);
        // Whoever comes so is an owner, and nobody's operator.
        let other = world.ask(Method::GET, "/api/v1/boxes").header("cookie", &session);
        let other = other.header("smartbox-account", "me").send().await.unwrap();
        assert_eq!(other.status(), 403);
        let people = world.ask(Method::GET, "/api/v1/people").header("cookie", &session);
        assert_eq!(people.send().await.unwrap().status(), 403);
    }
    let account = world.app.account.id.clone();
    let acts = smartbox_core::store::read(&*world.app.store, |tx| {
        Box::pin(async move { tx.audit().list(account, 0, 100).await })
    });
    let acts = acts.await.unwrap();
    let begun = acts.iter().filter(|entry| entry.act.actor == "dev-mode from 127.0.0.1");
    assert_eq!(begun.count(), 2);
}

#[tokio::test]
async fn in_dev_mode_no_other_site_no_smartbox_and_no_tunnel_presses_the_button() {
    let world = World::dev().await;
    let page = format!("http://pa.localhost:{}", world.port);
    let own = world.origin();
    let localhost = format!("http://localhost:{}", world.port);
    let with = |headers: &[(&str, &str)]| {
        let pressed = press(&world, "/");
        headers.iter().fold(pressed, |pressed, (name, value)| pressed.header(*name, *value))
    };
    let rebound = format!("http://evil.example:{}", world.port);
    for (what, status, headers) in [
        ("another site", 403, vec![("origin", "http://evil.example")]),
        ("a sandboxed frame", 403, vec![("origin", "null")]),
        ("a smartbox's page", 403, vec![("origin", page.as_str())]),
        ("the other name of the platform", 403, vec![("origin", localhost.as_str())]),
        ("another port", 403, vec![("origin", "http://127.0.0.1:1")]),
        (
            "a form of another site",
            403,
            vec![("origin", own.as_str()), ("sec-fetch-site", "cross-site")],
        ),
        (
            "a form of a smartbox",
            403,
            vec![("origin", own.as_str()), ("sec-fetch-site", "same-site")],
        ),
        ("no page at all", 403, vec![]),
        (
            "a name that leads here",
            421,
            vec![("host", &rebound[7..]), ("origin", rebound.as_str())],
        ),
        ("a tunnel", 403, vec![("origin", own.as_str()), ("x-forwarded-for", "192.0.2.1")]),
        ("a proxy", 403, vec![("origin", own.as_str()), ("forwarded", "for=127.0.0.1")]),
        ("Cloudflare", 403, vec![("origin", own.as_str()), ("cf-connecting-ip", "127.0.0.1")]),
        ("an address of a network", 403, vec![("host", "10.0.0.5"), ("origin", "http://10.0.0.5")]),
    ] {
        let answer = with(&headers).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{what}");
        assert!(cookie(&answer).is_none(), "{what}");
    }
    // Nor is there such an address on a smartbox's own host.
    let at_box = world.to_box(Method::POST, "pa", "/login/dev").header("origin", &page);
    let answer = at_box.form(&[("next", "/")]).send().await.unwrap();
    assert!(answer.status().is_client_error() && cookie(&answer).is_none());
    // No link does it, and who comes by a tunnel does not even see it.
    let link = world.ask(Method::GET, "/login/dev?next=/").send().await.unwrap();
    assert_eq!(link.status(), 405);
    let far = world.ask(Method::GET, "/").header("x-forwarded-for", "192.0.2.1");
    assert!(!far.send().await.unwrap().text().await.unwrap().contains("/login/dev"));
    // Without the setting there is no button, and nothing behind it.
    let world = World::new().await;
    let pressed = press(&world, "/").header("origin", world.origin()).send().await.unwrap();
    assert_eq!(pressed.status(), 404);
    let text = world.ask(Method::GET, "/").send().await.unwrap().text().await.unwrap();
    assert!(!text.contains("/login/dev"), "{text}");
}

#[tokio::test]
async fn in_dev_mode_other_sites_cannot_use_the_session_either() {
    let world = World::dev().await;
    let answer = press(&world, "/").header("origin", world.origin()).send().await.unwrap();
    let session = cookie(&answer).unwrap();
    let sleep = || world.ask(Method::POST, "/api/v1/boxes/pa/sleep").json(&serde_json::json!({}));
    let sleep = || sleep().header("cookie", &session);
    for origin in ["http://evil.example", "null", &format!("http://pa.localhost:{}", world.port)] {
        let answer = sleep().header("origin", origin).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{origin}");
    }
    let own = sleep().header("origin", world.origin()).send().await.unwrap();
    assert!(own.status().is_success());
    // A device that asks on this machine is asked about, as everywhere.
    let laptop = crate::devices::Laptop::new(1);
    let (_, asked) = laptop.asks(&world, &[]).await;
    let (_, told) = laptop.polls(&world, &asked).await;
    assert_eq!(told["error"], "authorization_pending");
}
