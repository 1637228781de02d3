//! Errors: problem documents for programs, pages for people, and nothing in them that was secret.

use http::Method;
use reqwest::RequestBuilder;
use smartbox_api::problem::{Code, Exit, Problem};

use crate::world::World;

async fn problem(request: RequestBuilder) -> Problem {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let id = answer.headers()["smartbox-request-id"].to_str().unwrap().to_owned();
    let problem: Problem = answer.json().await.unwrap();
    assert_eq!(problem.status, status);
    assert_eq!(problem.request_id, Some(id));
    problem
}

#[tokio::test]
async fn every_refusal_is_a_problem_document() {
    let world = World::new().await;
    let post = |path: &str, body: &'static str| {
        let request = world.as_owner(Method::POST, path).header("content-type", "application/json");
        request.body(body)
    };
    let boxes = "/api/v1/boxes";
    for (request, code) in [
        (world.as_owner(Method::GET, "/api/v1/nowhere"), Code::NotFound),
        (world.as_owner(Method::GET, "/api/v1/boxes/nobody"), Code::NotFound),
        (world.as_owner(Method::GET, "/api/v1/messages/msg_x"), Code::NotFound),
        (world.as_owner(Method::GET, "/api/v1/boxes/%FF"), Code::BadRequest),
        (world.as_owner(Method::PATCH, boxes), Code::MethodNotAllowed),
        (world.ask(Method::GET, boxes), Code::Unauthenticated),
        (world.as_owner(Method::GET, "/api/v1/secrets?bxo=pa"), Code::BadRequest),
        (world.as_owner(Method::GET, "/api/v1/boxes/pa/log?tail=x"), Code::BadRequest),
        (world.as_owner(Method::GET, "/api/v1/boxes/pa/log?tail=1&from=1"), Code::BadRequest),
        (post(boxes, "{"), Code::BadRequest),
        (post(boxes, r#"{"name":"a","colour":"red"}"#), Code::BadRequest),
        (post(boxes, r#"{"name":"pa"}"#), Code::Exists),
        (post(boxes, r#"{"name":"No Name"}"#), Code::BadName),
        (post(boxes, r#"{"name":"a","tier":"huge"}"#), Code::Refused),
        (post("/api/v1/boxes/pa/messages", r#"{"text":" "}"#), Code::Refused),
        (world.as_owner(Method::POST, boxes).body("name=a"), Code::UnsupportedMediaType),
        (world.as_owner(Method::POST, "/api/v1/boxes/pa/exec").body("x"), Code::BadRequest),
        (world.as_owner(Method::GET, "/health").header("host", "evil.example"), Code::WrongHost),
    ] {
        let found = problem(request).await;
        assert_eq!(found.known(), Some(code), "{found:?}");
        assert!(!found.detail.is_empty() && found.exit() != Exit::Ok, "{found:?}");
    }
}

#[tokio::test]
async fn a_smartbox_that_there_is_none_of_is_named_and_what_is_no_name_is_not() {
    let world = World::new().await;
    for (path, detail) in [
        ("nobody", "there is no smartbox `nobody`"),
        ("nobody/logs", "there is no smartbox `nobody`"),
        ("no%20body", "there is no such smartbox"),
        ("%3Cscript%3E", "there is no such smartbox"),
        ("pa/snapshots/99", "there is no such snapshot"),
    ] {
        let found = problem(world.as_owner(Method::GET, &format!("/api/v1/boxes/{path}"))).await;
        assert_eq!((found.known(), found.detail.as_str()), (Some(Code::NotFound), detail));
    }
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let world = World::new().await;
    let answer = world.as_owner(Method::PATCH, "/api/v1/boxes").send().await.unwrap();
    let allow = answer.headers()["allow"].to_str().unwrap();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
}

#[tokio::test]
async fn a_body_beyond_its_bound_is_refused_declared_or_not() {
    let world = World::new().await;
    let long = "x".repeat(20 << 10);
    let json = |request: RequestBuilder| request.header("content-type", "application/json");
    let declared = json(world.as_owner(Method::POST, "/api/v1/boxes")).body(long.clone());
    assert_eq!(problem(declared).await.known(), Some(Code::TooLarge));
    let pieces =
        futures_util::stream::iter([Ok::<_, std::io::Error>(format!("{{\"name\":\"{long}"))]);
    let undeclared = json(world.as_owner(Method::POST, "/api/v1/boxes"))
        .body(reqwest::Body::wrap_stream(pieces));
    assert_eq!(problem(undeclared).await.known(), Some(Code::TooLarge));
}

#[tokio::test]
async fn what_was_secret_does_not_come_back() {
    let world = World::new().await;
    for body in [
        r#"{"value":"hunter2","colour":"red"}"#,
        r#"{"value":"hunter2""#,
        r#"{"value":["hunter2"]}"#,
        r#""hunter2""#,
    ] {
        let request = world.as_owner(Method::PUT, "/api/v1/secrets/KEY");
        let request = request.header("content-type", "application/json").body(body);
        let found = problem(request).await;
        assert_eq!(found.known(), Some(Code::BadRequest));
        assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
    }
}

#[tokio::test]
async fn a_person_gets_a_page() {
    let world = World::new().await;
    let request = world.ask(Method::GET, "/no<script>where").header("accept", "text/html,*/*");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 404);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let text = answer.text().await.unwrap();
    assert!(text.contains("<h1>Not found</h1>") && !text.contains("<script>where"), "{text}");
}

#[tokio::test]
async fn a_host_that_is_not_ours_gets_a_page_that_looks_like_ours_and_leads_to_the_platform() {
    let world = World::new().await;
    let strange = |path: &str| {
        let request = world.ask(Method::GET, path).header("host", "a.b.localhost:7777");
        request.header("accept", "text/html,*/*").send()
    };
    let answer = strange("/").await.unwrap();
    assert_eq!(answer.status(), 421);
    let text = answer.text().await.unwrap();
    let start = format!("<a href=\"{}/\">", world.app.site.origin());
    assert!(text.contains(&start) && !text.contains("href=\"/\""), "{text}");
    for path in ["/assets/page.css", "/favicon.svg"] {
        assert!(text.contains(&format!("href=\"{path}\"")), "{text}");
        assert_eq!(strange(path).await.unwrap().status(), 200, "{path}");
    }
    for path in ["/assets/browser.js", "/assets/page.css/", "/health", "/boxes", "/api/v1/boxes"] {
        assert_eq!(strange(path).await.unwrap().status(), 421, "{path}");
    }
}

#[tokio::test]
async fn whoever_brings_a_token_that_nobody_knows_is_told_so_and_nothing_of_it() {
    let world = World::new().await;
    let boxes = "/api/v1/boxes";
    let nothing = problem(world.ask(Method::GET, boxes)).await;
    assert!(nothing.detail.contains("sign-in") && !nothing.detail.contains("token"), "{nothing:?}");
    // A wrong one, one of the right form, one that was good until a new link was made.
    let ended = world.token.clone();
    world.app.access.link(&world.app.account.id).await.unwrap();
    let mut said = Vec::new();
    for token in ["wrong", "sbl_00000000", &ended] {
        let found = problem(world.ask(Method::GET, boxes).bearer_auth(token)).await;
        assert_eq!(found.known(), Some(Code::Unauthenticated));
        assert!(
            found.detail.contains("token") && found.hint.contains("SMARTBOX_TOKEN"),
            "{found:?}"
        );
        said.push((found.detail, found.hint));
    }
    assert!(said.iter().all(|one| *one == said[0]), "each is told the same: {said:?}");
}
