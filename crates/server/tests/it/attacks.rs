//! Attacks on assistants of this family that were published, as far as they would meet the platform itself; and
//! the list of all attacks and their tests, `docs/reference/attacks.md`, held against the tests that there are.

use std::collections::BTreeSet;
use std::path::Path;

use http::Method;
use smartbox_core::person::Role;
use smartbox_core::smartbox::Kind;

use crate::house::sources;
use crate::rights::Guest;
use crate::tenancy::Tenant;
use crate::world::{MASTER, World, by_its_key};

#[tokio::test]
async fn a_link_that_names_another_gateway_leads_nowhere_else() {
    // CVE-2026-25253: the page took `gatewayUrl` from its address, and sent its token there.
    let world = World::new().await;
    for more in [
        "gatewayUrl=wss://evil.example",
        "gatewayUrl=wss%3A%2F%2Fevil.example&next=%2F%2Fevil.example",
        "next=https://evil.example/&redirect=//evil.example&return_to=https://evil.example",
    ] {
        let path = format!("/?{more}&token={}", world.token);
        let answer = world.ask(Method::GET, &path).send().await.unwrap();
        assert_eq!(answer.status(), 303, "{more}");
        assert_eq!(answer.headers()["location"], by_its_key("/"), "{more}");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
        let head = format!("{:?}", answer.headers());
        let said = head + &answer.text().await.unwrap();
        assert!(!said.contains("evil.example") && !said.contains(&world.token), "{said}");
    }
    // Nor does the page of who is signed in say a word of what its address says.
    let cookie = world.sign_in().await;
    for path in ["/?gatewayUrl=wss://evil.example", "/boxes?gatewayUrl=wss://evil.example"] {
        let asked = world.ask(Method::GET, path).header("cookie", &cookie);
        let page = asked.send().await.unwrap().text().await.unwrap();
        assert!(!page.contains("evil.example"), "{page}");
    }
}

#[tokio::test]
async fn a_token_in_an_address_is_no_sign_in_but_on_the_first_page() {
    // What stands in addresses stands in logs, histories and referrers.
    let world = World::new().await;
    for secret in [world.token.as_str(), MASTER] {
        for name in ["token", "access_token", "secret", "key", "auth", "authorization"] {
            for path in ["/api/v1/boxes", "/api/v1/status", "/boxes", "/_admin/", "/metrics"] {
                let asked = world.ask(Method::GET, &format!("{path}?{name}={secret}"));
                let answer = asked.header("accept", "application/json").send().await.unwrap();
                assert_eq!(answer.status(), 401, "{path}?{name}=");
                assert!(answer.headers().get("set-cookie").is_none());
            }
            for path in ["/api/super/users", "/debug/env", "/cdp", "/relay"] {
                let asked = world.ask(Method::GET, &format!("{path}?{name}={secret}"));
                assert_eq!(asked.send().await.unwrap().status(), 403, "{path}?{name}=");
            }
        }
    }
}

#[tokio::test]
async fn a_probe_for_a_browser_is_told_no_token() {
    // CVE-2026-22174: the answer to `/json/version` had the gateway's token in it.
    let world = World::new().await;
    for path in [
        "/json/version",
        "/json/list",
        "/cdp",
        "/cdp/json/version",
        "/cdp/json/list",
        &format!("/cdp?secret={MASTER}"),
        &format!("/cdp/json/version?secret={MASTER}"),
    ] {
        let plain = world.ask(Method::GET, path).send().await.unwrap();
        let known = world.ask(Method::GET, path).header("x-admin-secret", MASTER);
        let known = known.send().await.unwrap();
        let to_box = world.to_box(Method::GET, "pa", path).send().await.unwrap();
        assert!(matches!(plain.status().as_u16(), 403 | 404), "{path}: {}", plain.status());
        assert!(matches!(known.status().as_u16(), 404 | 410), "{path}: {}", known.status());
        assert_eq!(to_box.status(), 401, "{path}, of a box");
        for answer in [plain, known, to_box] {
            let head = format!("{:?}", answer.headers());
            let said = head + &answer.text().await.unwrap();
            for secret in [MASTER, &world.token, "webSocketDebuggerUrl"] {
                assert!(!said.contains(secret), "{path}: {said}");
            }
        }
    }
}

#[tokio::test]
async fn scopes_that_somebody_declares_are_worth_nothing() {
    // GHSA-rqpp-rjj8-7wv8: who shared a sign-in said `operator.admin`, and was.
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    ann.smartbox(&world, "site", Kind::PROJECT).await;
    let viewer = Guest::new(&world, &ann, Some(Role::Viewer), None).await;
    for (name, value) in [
        ("x-openclaw-scopes", "operator.admin"),
        ("x-smartbox-user", "owner"),
        ("x-smartbox-right", "own"),
        ("x-forwarded-user", "root"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("scope", "own"),
        ("cf-access-authenticated-user-email", "owner@example.com"),
    ] {
        let ask = |method, path: &str| {
            let asked = world.ask(method, path).header("cookie", &viewer.cookie);
            asked.header("origin", world.origin()).header(name, value)
        };
        let stop = ask(Method::POST, "/api/v1/boxes/site/stop");
        assert_eq!(stop.send().await.unwrap().status(), 403, "{name}");
        assert_eq!(ask(Method::GET, "/api/v1/accounts").send().await.unwrap().status(), 403);
        // And to nobody they give nothing either.
        let stranger = world.ask(Method::GET, "/api/v1/boxes").header(name, value);
        assert_eq!(stranger.send().await.unwrap().status(), 401, "{name}");
    }
}

#[tokio::test]
async fn a_name_that_is_rebound_to_this_machine_opens_nothing() {
    // DNS rebinding: a page's own name comes to mean this machine, and its requests are of one origin.
    for world in [World::new().await, World::dev().await] {
        let cookie = if world.app.dev { String::new() } else { world.sign_in().await };
        for host in [
            "evil.example",
            &format!("evil.example:{}", world.port),
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "pa.localhost.evil.example",
            "localhost.evil",
            "",
        ] {
            for path in ["/", "/boxes", "/api/v1/boxes", "/health"] {
                let asked = world.ask(Method::GET, path).header("host", host);
                let asked =
                    asked.header("origin", format!("http://{host}")).header("cookie", &cookie);
                let answer = asked.header("sec-fetch-site", "same-origin").send().await.unwrap();
                let status = answer.status().as_u16();
                assert!(matches!(status, 400 | 421), "{host} {path}: {status}");
                assert!(!answer.text().await.unwrap().contains("\"pa\""));
            }
        }
    }
}

/// `crates/room/path.rs::test`, as the list has them.
fn named(page: &str) -> Vec<(&str, &str)> {
    let quoted = page.lines().filter(|line| line.starts_with("| ")).flat_map(|line| {
        line.split('`').skip(1).step_by(2).filter(|text| text.starts_with("crates/"))
    });
    quoted.map(|text| text.split_once("::").expect("a file and its test")).collect()
}

#[test]
fn every_attack_on_the_list_has_its_test() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/attacks.md");
    let page = std::fs::read_to_string(page).unwrap();
    let sources = sources();
    let mut seen = BTreeSet::new();
    for (file, test) in named(&page) {
        let source = sources.iter().find(|source| source.place() == file);
        let source = source.unwrap_or_else(|| panic!("there is no {file}"));
        let at = source.text.find(&format!("fn {test}("));
        let at = at.unwrap_or_else(|| panic!("there is no {test} in {file}"));
        // A function that is no test proves nothing; those of proptest have theirs before them too.
        let before: Vec<&str> = source.text[..at].lines().rev().take(4).collect();
        assert!(before.iter().any(|line| line.contains("test")), "{test} in {file} is no test");
        seen.insert((file, test));
    }
    assert!(seen.len() > 60, "only {} were found: this test does not see them", seen.len());
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| attack")) {
        assert!(row.contains("`crates/"), "an attack without a test: {row}");
    }
}
