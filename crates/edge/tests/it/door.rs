//! Coming in and going out on a box's own origin.

use smartbox_core::smartbox::{Desired, State};

use crate::support::{Front, HOST, TICKET, World, mirror};

async fn front() -> Front {
    Front::new(World::new(Some(mirror().await))).await
}

fn ticket() -> String {
    format!("ticket={TICKET}")
}

fn form(body: &str, headers: &str) -> String {
    format!(
        "POST /_smartbox/enter HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{headers}\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

const OWN: &str = "origin: http://pa.localhost\r\n";

#[tokio::test]
async fn a_ticket_becomes_a_session_once_and_only_by_a_post() {
    let front = front().await;
    let page = format!(
        "GET /_smartbox/enter?ticket={TICKET} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n"
    );
    for _ in 0..3 {
        let answer = front.raw(&page).await;
        assert_eq!(answer.status, 200);
        let input = format!(r#"<input type="hidden" name="ticket" value="{TICKET}">"#);
        assert!(answer.body.contains(&input));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("referrer-policy"), Some("strict-origin"));
        assert_eq!(answer.header("set-cookie"), None, "looking burns nothing");
    }
    assert_eq!(front.raw(form(&ticket(), "origin: http://evil.localhost\r\n")).await.status, 403);
    assert_eq!(front.raw(form(&ticket(), "")).await.status, 403);
    let entered = front.raw(form(&ticket(), OWN)).await;
    assert_eq!((entered.status, entered.header("location")), (303, Some("/")));
    assert_eq!(
        entered.header("set-cookie"),
        Some("smartbox_session=good; Path=/; HttpOnly; SameSite=Lax")
    );
    let again = front.raw(form(&ticket(), OWN)).await;
    assert_eq!((again.status, again.header("set-cookie")), (403, None));
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_the_host() {
    let world = World::new(Some(mirror().await));
    let front = Front::with(world, |settings| settings.scheme = smartbox_edge::Scheme::Https).await;
    let entered = front.raw(form(&ticket(), "origin: https://pa.localhost\r\n")).await;
    assert_eq!(
        entered.header("set-cookie"),
        Some("__Host-smartbox_session=good; Path=/; HttpOnly; SameSite=Lax; Secure")
    );
}

#[tokio::test]
async fn tickets_that_cannot_be_are_refused_and_never_shown() {
    let front = front().await;
    for query in
        ["", "?ticket=", "?ticket=%22%3E%3Cscript%3E", "?ticket=a%20b", &format!("?x={TICKET}")]
    {
        let answer = front.raw(format!(
            "GET /_smartbox/enter{query} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\naccept: text/html\r\n\r\n"
        ));
        let answer = answer.await;
        assert_eq!(answer.status, 403, "{query}");
        assert!(!answer.body.contains("<script>"), "{answer:?}");
    }
    let long = format!("ticket={}", "a".repeat(300));
    assert_eq!(front.raw(form(&long, OWN)).await.status, 403);
    let flood = format!("ticket={}", "a".repeat(100_000));
    assert_eq!(front.raw(form(&flood, OWN)).await.status, 400);
}

#[tokio::test]
async fn leaving_ends_the_session_and_needs_the_boxes_own_page() {
    let front = front().await;
    assert_eq!(front.ask("POST /_smartbox/leave", "").await.status, 403);
    assert_eq!(front.ask("GET /_smartbox/leave", "").await.status, 405);
    assert_eq!(front.ask("GET /x", "").await.status, 200);
    let left = front.ask("POST /_smartbox/leave", OWN).await;
    assert_eq!(left.header("location"), Some("http://platform.test/open/pa"));
    assert!(left.header("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")));
    assert_eq!(front.ask("GET /x", "").await.status, 401);
}

#[tokio::test]
async fn asking_for_the_state_wakes_nobody_and_needs_a_session() {
    let front = front().await;
    front.world.set(State::Stopped);
    let answer = front.ask("GET /_smartbox/state", "").await;
    let value: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(value["state"], "stopped");
    assert_eq!(value["mood"], "waking");
    assert_eq!(value["phase"], "warming <up>");
    *front.world.desired.lock().unwrap() = Desired::Off;
    let answer = front.ask("GET /_smartbox/state", "").await;
    let value: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(value["mood"], "off");
    assert_eq!((World::count(&front.world.wakes), World::count(&front.world.nudges)), (0, 0));
    *front.world.session.lock().unwrap() = None;
    assert_eq!(front.ask("GET /_smartbox/state", "").await.status, 401);
    assert_eq!(front.ask("POST /_smartbox/wake", OWN).await.status, 401);
    assert_eq!(World::count(&front.world.nudges), 0);
}

#[tokio::test]
async fn trying_again_nudges_and_comes_back_to_this_origin() {
    let front = front().await;
    for (to, location) in
        [("%2Fchat%2Fmain", "/chat/main"), ("%2F%2Fevil.com", "/"), ("https%3A%2F%2Fevil.com", "/")]
    {
        let body = format!("to={to}");
        let headers = format!("{OWN}content-length: {}\r\n", body.len());
        let text = format!(
            "POST /_smartbox/wake HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{}{headers}\r\n{body}",
            crate::support::COOKIE
        );
        let answer = front.raw(text).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(location)), "{to}");
    }
    assert_eq!(World::count(&front.world.nudges), 3);
}

#[tokio::test]
async fn nothing_else_is_behind_the_door_and_the_engine_never_sees_it() {
    let front = front().await;
    for path in ["/_smartbox", "/_smartbox/", "/_smartbox/admin", "/_smartbox/enter/x"] {
        let answer = front.ask(&format!("GET {path}"), "").await;
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(World::count(&front.world.dials), 0);
}
