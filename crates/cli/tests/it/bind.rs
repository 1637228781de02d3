//! Where secrets may go, and what smartboxes hold in their place, from the command line.

use axum::routing::{get, put};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fake::Fake;
use crate::run::run;

fn platform() -> Router {
    let to = json!([{
        "host": "api.test", "ports": [8443], "paths": ["/v1/**"],
        "places": [{ "in": "header", "name": "x-key", "form": "{}" }, { "in": "basic-password" }],
    }]);
    let secret = json!({ "name": "A_KEY", "scope": "account", "updated": 1, "bound": to });
    let held = json!({ "name": "A_KEY", "scope": "account", "placeholder": "sbx_1", "to": to });
    let service = json!({ "name": "github", "description": "GitHub", "to": to });
    let page = |item: Value| get(move || async move { Json(json!({ "items": [item] })) });
    Router::new()
        .route(
            "/api/v1/secrets/{name}/bindings",
            put(|| async { http::StatusCode::NO_CONTENT })
                .delete(|| async { http::StatusCode::NO_CONTENT }),
        )
        .route("/api/v1/secrets", page(secret))
        .route("/api/v1/secrets/services", page(service))
        .route("/api/v1/boxes/{name}/placeholders", page(held))
}

#[tokio::test]
async fn a_secret_is_bound_to_a_service_or_to_places_of_requests_to_hosts() {
    let fake = Fake::new(platform());
    let ended = run(fake.dir(), &["secret", "bind", "A_KEY", "--as", "github"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.out,
        "A_KEY goes\n  to api.test:8443 /v1/** in the header `x-key`, the password of basic \
         authentication\n"
    );
    assert!(ended.err.contains("smartbox egress allow --all api.test:8443"), "{ended:?}");
    let args = [
        "secret",
        "bind",
        "A_KEY",
        "--box",
        "pa",
        "--to",
        "a.test",
        "--to",
        "*.b.test:8443",
        "--header",
        "Authorization: Bearer {}",
        "--query",
        "key",
        "--path-after",
        "/bot",
        "--basic-user",
        "--method",
        "GET",
        "--path",
        "/v1/**",
        "--shape",
        "github",
        "--json",
    ];
    let ended = run(fake.dir(), &args).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let bodies: Vec<Value> = fake
        .seen()
        .iter()
        .filter(|seen| seen.line == "PUT /api/v1/secrets/A_KEY/bindings")
        .map(|seen| serde_json::from_str(&seen.body).unwrap())
        .collect();
    let places = json!([
        { "in": "header", "name": "authorization", "form": "Bearer {}" },
        { "in": "query", "name": "key" },
        { "in": "path", "before": "/bot" },
        { "in": "basic-user" },
    ]);
    let to = |host: &str, more: Value| {
        let mut to =
            json!({ "host": host, "methods": ["GET"], "paths": ["/v1/**"], "places": places });
        to.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        to
    };
    let whole = json!({
        "box": "pa", "shape": "github",
        "to": [to("a.test", json!({})), to("*.b.test", json!({ "ports": [8443] }))],
    });
    assert_eq!(bodies, [json!({ "service": "github" }), whole]);
}

#[tokio::test]
async fn what_says_too_little_is_refused_here() {
    let fake = Fake::new(platform());
    for args in [
        &["secret", "bind", "A_KEY"][..],
        &["secret", "bind", "A_KEY", "--to", "a.test"],
        &["secret", "bind", "A_KEY", "--header", "x-key"],
        &["secret", "bind", "A_KEY", "--as", "github", "--header", "x-key"],
        &["secret", "bind", "A_KEY", "--to", "a.test", "--header", "x-key: Bearer"],
        &["secret", "bind", "A_KEY", "--to", "no/host", "--basic-password"],
        &["secret", "bind", "A_KEY", "--as", "github", "--shape", "short"],
    ] {
        let ended = run(fake.dir(), args).await;
        assert_eq!(ended.code, Some(2), "{args:?} {ended:?}");
    }
    assert!(fake.seen().is_empty(), "{:?}", fake.seen());
}

#[tokio::test]
async fn what_is_bound_is_listed_and_unbound() {
    let fake = Fake::new(platform());
    let listed = run(fake.dir(), &["secret", "ls"]).await;
    assert!(listed.out.contains("GOES TO") && listed.out.contains("api.test"), "{listed:?}");
    let held = run(fake.dir(), &["secret", "placeholders", "pa"]).await;
    assert!(held.out.contains("sbx_1") && held.out.contains("api.test:8443 /v1/**"), "{held:?}");
    let services = run(fake.dir(), &["secret", "services", "--json"]).await;
    let services: Vec<Value> = serde_json::from_str(&services.out).unwrap();
    assert_eq!(services[0]["name"], "github");
    let ended = run(fake.dir(), &["secret", "unbind", "A_KEY", "--box", "pa"]).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(fake.seen().last().unwrap().line, "DELETE /api/v1/secrets/A_KEY/bindings?box=pa");
}
