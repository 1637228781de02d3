//! What a request does to a box that sleeps.

use std::time::Duration;

use smartbox_core::smartbox::{Desired, Failure, Reason, State};
use smartbox_core::time::Timestamp;

use crate::support::{Answer, Front, World, engine, mirror};

const PAGE: &str = "accept: text/html\r\nsec-fetch-dest: document\r\nsec-fetch-mode: navigate\r\nsec-fetch-site: none\r\n";

async fn asleep(state: State, wakes_up: bool) -> Front {
    let world = World::new(Some(mirror().await));
    world.set(state);
    *world.wakes_up.lock().unwrap() = wakes_up;
    Front::with(world, |settings| {
        settings.limits.wake_time = Duration::from_millis(50);
        settings.limits.thaw_time = Duration::from_millis(50);
    })
    .await
}

fn is_page(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'sha256-"));
    for foreign in ["http://", "https://", "//cdn", "unsafe-inline"] {
        assert!(!answer.body.contains(foreign) && !policy.contains(foreign), "{foreign}");
    }
}

#[tokio::test]
async fn a_page_of_a_stopped_box_loads_at_once_and_wakes_it() {
    for state in [State::Stopped, State::Starting] {
        let front = asleep(state, false).await;
        let answer = front.ask("GET /chat/main?x=1", PAGE).await;
        is_page(&answer);
        assert!(answer.body.contains("pa is waking up"), "{answer:?}");
        assert!(answer.body.contains("warming &#60;up&#62;"), "the phase, escaped: {answer:?}");
        assert!(answer.body.contains("http-equiv=\"refresh\""), "works without script");
        assert_eq!(World::count(&front.world.nudges), 1);
        assert_eq!(World::count(&front.world.wakes), 0);
    }
}

#[tokio::test]
async fn a_loading_page_says_what_every_page_of_the_platform_says() {
    let notice = "Nobody needs <b>a token</b> here.";
    let world = World::new(Some(mirror().await));
    world.set(State::Stopped);
    let front = Front::with(world, |settings| settings.notice = notice.into()).await;
    let answer = front.ask("GET /", PAGE).await;
    is_page(&answer);
    assert!(answer.body.contains("Nobody needs &#60;b&#62;a token"), "{answer:?}");
    let front = asleep(State::Stopped, false).await;
    assert!(!front.ask("GET /", PAGE).await.body.contains("role=\"alert\""));
}

#[tokio::test]
async fn a_frozen_boxes_page_is_shown_without_a_flash_of_ours() {
    let front = asleep(State::Frozen, true).await;
    let answer = front.ask("GET /", PAGE).await;
    assert!(answer.body.starts_with("GET /\n"), "{answer:?}");
    let front = asleep(State::Frozen, false).await;
    is_page(&front.ask("GET /", PAGE).await);
}

#[tokio::test]
async fn a_page_of_a_box_that_is_off_says_how_to_turn_it_on() {
    let front = asleep(State::Stopped, false).await;
    *front.world.desired.lock().unwrap() = Desired::Off;
    let answer = front.ask("GET /", PAGE).await;
    is_page(&answer);
    assert!(answer.body.contains("smartbox start pa") && answer.body.contains("is turned off"));
    let call = front.ask("GET /v1/models", "").await;
    assert_eq!(call.status, 503);
    assert!(call.body.contains("smartbox start pa") && call.body.contains("smartbox-off"));
    assert_eq!(World::count(&front.world.nudges), 0);
}

#[tokio::test]
async fn a_page_of_a_failed_box_says_why_and_offers_another_try() {
    let front = asleep(State::Failed, false).await;
    *front.world.failure.lock().unwrap() = Some(Failure {
        reason: Reason::BadConfig,
        message: "The key `gatewey` is unknown.".into(),
        hint: "Did you mean <gateway>?".into(),
        at: Timestamp(1),
    });
    let answer = front.ask("GET /chat/main", PAGE).await;
    is_page(&answer);
    for part in ["The key `gatewey` is unknown.", "&#60;gateway&#62;", "Try again", "/chat/main"] {
        assert!(answer.body.contains(part), "{part}: {answer:?}");
    }
    assert_eq!(World::count(&front.world.nudges), 0);
}

#[tokio::test]
async fn a_call_waits_for_the_box_or_is_told_to_come_again() {
    let front = asleep(State::Stopped, true).await;
    let answer = front.ask("POST /v1/chat/completions", "origin: http://pa.localhost\r\n").await;
    assert_eq!(answer.status, 200);
    assert_eq!(World::count(&front.world.wakes), 1);

    let front = asleep(State::Stopped, false).await;
    let answer = front.ask("GET /v1/models", "").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    let document: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(document["code"], "smartbox-waking");
    assert_eq!(World::count(&front.world.busy), 0);
}

#[tokio::test]
async fn what_a_page_asks_for_by_itself_wakes_nobody_and_keeps_nobody_awake() {
    let front = asleep(State::Frozen, true).await;
    for (path, headers) in [
        ("/assets/index.js", ""),
        ("/sw.js", "sec-fetch-dest: serviceworker\r\n"),
        ("/favicon.ico", ""),
        ("/api/users/1/avatar", "sec-fetch-dest: image\r\n"),
        ("/x", "sec-fetch-dest: style\r\n"),
    ] {
        let answer = front.ask(&format!("GET {path}"), headers).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{path}");
    }
    assert_eq!((World::count(&front.world.wakes), World::count(&front.world.nudges)), (0, 0));
    assert_eq!(World::count(&front.world.dials), 0);
    front.world.set(State::Running);
    assert_eq!(front.ask("GET /assets/index.js", "").await.status, 200);
    assert_eq!(World::count(&front.world.begun), 0);
    assert_eq!(front.ask("GET /v1/models", "").await.status, 200);
    assert_eq!(World::count(&front.world.begun), 1);
}

#[tokio::test]
async fn an_engine_that_went_away_is_woken_and_asked_again() {
    // The route says running, but nothing listens: the box was stopped a moment ago.
    let front = asleep(State::Running, true).await;
    *front.world.engine.lock().unwrap() = None;
    let answer = front.ask("GET /v1/models", "").await;
    assert_eq!(answer.status, 503);
    assert_eq!((World::count(&front.world.wakes), World::count(&front.world.dials)), (1, 2));
}

#[tokio::test]
async fn an_engine_that_refuses_because_it_falls_asleep_is_woken() {
    let front = asleep(State::Running, false).await;
    let world = front.world.clone();
    let suspended = engine(move |_| {
        let world = world.clone();
        async move {
            world.set(State::Frozen);
            let body = http_body_util::Full::<bytes::Bytes>::from("gateway_unavailable");
            http::Response::builder().status(503).body(body).unwrap()
        }
    })
    .await;
    *front.world.engine.lock().unwrap() = Some(suspended);
    is_page(&front.ask("GET /chat/main", PAGE).await);
    assert_eq!(World::count(&front.world.nudges), 1);
    front.world.set(State::Running);
    let call = front.ask("GET /v1/models", "").await;
    assert_eq!((call.status, call.body.as_str()), (503, "gateway_unavailable"));
    assert_eq!(World::count(&front.world.nudges), 2);
}

#[tokio::test]
async fn a_file_waits_a_moment_for_somebody_else_to_wake_the_box() {
    let world = World::new(Some(mirror().await));
    world.set(State::Frozen);
    let front =
        Front::with(world, |settings| settings.limits.thaw_time = Duration::from_secs(20)).await;
    let (answer, ()) = tokio::join!(front.ask("GET /assets/index.js", ""), async {
        while front.world.state.receiver_count() == 0 {
            tokio::task::yield_now().await;
        }
        front.world.set(State::Running);
    });
    assert_eq!(answer.status, 200);
    assert_eq!((World::count(&front.world.wakes), World::count(&front.world.nudges)), (0, 0));
}
