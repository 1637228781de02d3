//! Jobs and bulks over HTTP: asked for, found, followed, stopped, and nobody else's.

use http::Method;
use reqwest::Response;
use serde_json::{Value, json};
use smartbox_api::job::{Happening, JobState, JobView};
use smartbox_api::sse::Decoder;
use smartbox_core::job;
use smartbox_core::smartbox::{Kind, State};

use crate::tenancy::Tenant;
use crate::world::{MASTER, World};

const LONG: std::time::Duration = std::time::Duration::from_secs(60);

impl World {
    /// A restart of `pa` as a job.
    async fn restart_later(&self) -> JobView {
        let path = "/api/v1/boxes/pa/restart";
        let answer =
            self.as_owner(Method::POST, path).json(&json!({"async": true})).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let job: JobView = answer.json().await.unwrap();
        assert_eq!(location, format!("/api/v1/jobs/{}", job.id));
        job
    }

    async fn get_json(&self, path: &str) -> Value {
        let answer = self.as_owner(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    async fn ended(&self, job: &JobView) -> JobView {
        self.app.control.job_over(&job.id, LONG).await.unwrap().into()
    }

    /// An answer to a request for events after one, said in the header.
    async fn events(&self, job: &JobView, last: Option<&str>, query: &str) -> Response {
        let path = format!("/api/v1/jobs/{}/events{query}", job.id);
        let mut request = self.as_owner(Method::GET, &path);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        request.send().await.unwrap()
    }
}

async fn decoded(answer: Response) -> Vec<job::Event> {
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let text = answer.text().await.unwrap();
    let mut decoder = Decoder::<job::Event>::default();
    decoder.push(text.as_bytes());
    let mut events = Vec::new();
    while let Some(event) = decoder.next_event().unwrap() {
        assert!(text.contains(&format!("id: {}\nevent: {}\n", event.seq, event.what.word())));
        events.push(event);
    }
    events
}

#[tokio::test]
async fn a_restart_is_a_job_that_is_followed_and_found_again() {
    let world = World::new().await;
    let job = world.restart_later().await;
    assert_eq!(job.kind, "box.restart");
    let live = decoded(world.events(&job, None, "").await).await;
    let end = Happening::State { state: JobState::Succeeded };
    assert_eq!(live.last().unwrap().what, end, "the stream ends with the job");
    let late = decoded(world.events(&job, None, "").await).await;
    assert_eq!(late, live);
    let first = live[0].seq.to_string();
    assert_eq!(decoded(world.events(&job, Some(&first), "").await).await, live[1..]);
    let query = format!("?after={first}");
    assert_eq!(decoded(world.events(&job, None, &query).await).await, live[1..]);
    let last = live.last().unwrap().seq.to_string();
    assert_eq!(world.events(&job, Some(&last), "").await.status(), 204, "nothing will come");
    for bad in ["x", "-1", "99999999999999999999999"] {
        assert_eq!(world.events(&job, Some(bad), "").await.status(), 400, "{bad}");
    }
    let shown = world.get_json(&format!("/api/v1/jobs/{}", job.id)).await;
    assert_eq!(shown["state"], "succeeded");
    assert_eq!(shown["result"]["state"], "running");
    assert!(shown["expires"].as_i64() > shown["finished"].as_i64());
    let pa = world.pa().await;
    assert_eq!((pa.restart, pa.state), (1, State::Running));
    // What there was before does what it did.
    let path = "/api/v1/boxes/pa/restart";
    let body = json!({"wait_ms": 60_000});
    let answer = world.as_owner(Method::POST, path).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let wake = world.as_owner(Method::POST, "/api/v1/boxes/pa/wake").json(&json!({"async": true}));
    assert_eq!(wake.send().await.unwrap().status(), 400, "a wake is no job");
}

#[tokio::test]
async fn jobs_are_listed_newest_first_in_pages() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let job = world.restart_later().await;
        world.ended(&job).await;
        ids.push(job.id.to_string());
        // Two in one millisecond have an order too, but not the one that this test expects.
        let made = job.created;
        while world.app.clock.now() == made {
            tokio::task::yield_now().await;
        }
    }
    ids.reverse();
    let (mut seen, mut path) = (Vec::new(), "/api/v1/jobs?limit=2".to_owned());
    loop {
        let page = world.get_json(&path).await;
        for job in page["items"].as_array().unwrap() {
            assert!(job.get("result").is_none(), "listings are short");
            seen.push(job["id"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/jobs?limit=2&cursor={next}");
    }
    assert_eq!(seen, ids);
    for (query, found) in [
        ("box=pa", 5),
        ("state=succeeded", 5),
        ("state=failed", 0),
        ("kind=box.restart", 5),
        ("kind=x", 0),
    ] {
        let page = world.get_json(&format!("/api/v1/jobs?{query}")).await;
        assert_eq!(page["items"].as_array().unwrap().len(), found, "{query}");
    }
    for (query, status) in [
        ("box=none", 404),
        ("state=odd", 400),
        ("colour=red", 400),
        ("limit=0", 400),
        ("cursor=x", 400),
    ] {
        let path = format!("/api/v1/jobs?{query}");
        let answer = world.as_owner(Method::GET, &path).send().await.unwrap();
        assert_eq!(answer.status(), status, "{query}");
    }
    let gone = format!("/api/v1/jobs/{}", ids[0]);
    for status in [204, 404] {
        let answer = world.as_owner(Method::DELETE, &gone).send().await.unwrap();
        assert_eq!(answer.status(), status);
    }
}

#[tokio::test]
async fn what_is_over_is_not_stopped_and_nobody_else_sees_it() {
    let world = World::new().await;
    let job = world.restart_later().await;
    world.ended(&job).await;
    for verb in ["cancel", "pause", "resume"] {
        let path = format!("/api/v1/jobs/{}/{verb}", job.id);
        let answer = world.as_owner(Method::POST, &path).send().await.unwrap();
        assert_eq!(answer.status(), 409, "{verb}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "conflict");
    }
    let ann = Tenant::new(&world, "ann").await;
    let of = |verb: &str| format!("/api/v1/jobs/{}{verb}", job.id);
    for (method, path) in [
        (Method::GET, of("")),
        (Method::GET, of("/events")),
        (Method::GET, of("/items")),
        (Method::POST, of("/cancel")),
        (Method::POST, of("/pause")),
        (Method::POST, of("/resume")),
        (Method::DELETE, of("")),
        (Method::GET, "/api/v1/jobs/job_00000000000000000000".to_owned()),
        (Method::GET, "/api/v1/jobs/..%2Fboxes".to_owned()),
    ] {
        let answer = world.ask(method.clone(), &path).bearer_auth(&ann.token).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{method} {path}");
    }
    let ask = world.ask(Method::GET, "/api/v1/jobs").bearer_auth(&ann.token);
    let list: Value = ask.send().await.unwrap().json().await.unwrap();
    assert_eq!(list["items"], json!([]));
    assert_eq!(world.ask(Method::GET, &of("")).send().await.unwrap().status(), 401);
    let operator = world.ask(Method::GET, &of("")).bearer_auth(MASTER).send().await.unwrap();
    assert_eq!(operator.status(), 200);
}

#[tokio::test]
async fn many_boxes_are_restarted_and_each_has_its_outcome() {
    let world = World::new().await;
    let bulk =
        |body: Value| world.as_owner(Method::POST, "/api/v1/bulk/restart").json(&body).send();
    for name in ["one", "two"] {
        let labels = json!({"team": name});
        let new = json!({"name": name, "kind": "custom", "desired": "on", "labels": labels});
        let made = world.as_owner(Method::POST, "/api/v1/boxes").json(&new).send().await.unwrap();
        assert_eq!(made.status(), 201);
        let wake = world.as_owner(Method::POST, &format!("/api/v1/boxes/{name}/wake"));
        wake.json(&json!({"wait_ms": 60_000})).send().await.unwrap();
    }
    let pa =
        world.as_owner(Method::POST, "/api/v1/boxes/pa/stop").json(&json!({"wait_ms": 60_000}));
    assert_eq!(pa.send().await.unwrap().status(), 200);
    let plan = bulk(json!({"all": true, "dry_run": true})).await.unwrap();
    assert_eq!(plan.status(), 200);
    let plan: Value = plan.json().await.unwrap();
    let skips: Vec<_> =
        plan["items"].as_array().unwrap().iter().map(|i| (&i["name"], i.get("skip"))).collect();
    assert_eq!(skips.len(), 3);
    assert_eq!(skips[1], (&json!("pa"), Some(&json!("it is turned off"))));
    let none = world.get_json("/api/v1/jobs").await;
    assert_eq!(none["items"], json!([]), "a plan makes no job");

    let answer = bulk(json!({"all": true, "concurrency": 1})).await.unwrap();
    assert_eq!(answer.status(), 202);
    let job: JobView = answer.json().await.unwrap();
    let done = world.ended(&job).await;
    assert_eq!(done.state, JobState::Succeeded);
    assert_eq!(done.result, Some(json!({"ok": 2, "failed": 0, "skipped": 1})));
    let (mut seen, mut path) = (Vec::new(), format!("/api/v1/jobs/{}/items?limit=2", job.id));
    loop {
        let page = world.get_json(&path).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| {
            (
                item["name"].as_str().unwrap().to_owned(),
                item["outcome"].as_str().unwrap().to_owned(),
            )
        }));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/jobs/{}/items?limit=2&cursor={next}", job.id);
    }
    let expected = [("one", "ok"), ("pa", "skipped"), ("two", "ok")];
    assert_eq!(seen, expected.map(|(name, outcome)| (name.to_owned(), outcome.to_owned())));

    for (body, count) in [
        (json!({"boxes": ["two", "one", "two"]}), 2),
        (json!({"selector": {"label": "team=one"}}), 1),
        (json!({"selector": {"kind": "custom", "state": "running"}}), 2),
        (json!({"selector": {"account": "me"}}), 3),
    ] {
        let mut body = body;
        body["dry_run"] = json!(true);
        let plan: Value = bulk(body.clone()).await.unwrap().json().await.unwrap();
        assert_eq!(plan["items"].as_array().unwrap().len(), count, "{body}");
    }
}

#[tokio::test]
async fn a_bulk_that_is_not_meant_is_refused() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let theirs = ann.smartbox(&world, "secret", Kind::PROJECT).await;
    let id = theirs.id.to_string();
    for (body, status) in [
        (json!({}), 400),
        (json!({"all": false}), 400),
        (json!({"all": true, "boxes": ["pa"]}), 400),
        (json!({"boxes": ["pa"], "selector": {}}), 400),
        (json!({"all": true, "force": true}), 400),
        (json!({"selector": {"label": "nobody"}}), 400),
        (json!({"boxes": []}), 422),
        (json!({"boxes": ["pa", "none"]}), 422),
        (json!({"boxes": [id]}), 422),
        (json!({"selector": {"account": "ann"}}), 404),
        (json!({"selector": {"account": "*"}}), 404),
        (json!({"selector": {"label": "team=nobody"}}), 422),
        (json!({"all": true, "concurrency": 0}), 422),
        (json!({"all": true, "delay_ms": 3_600_001}), 422),
    ] {
        let request = world.as_owner(Method::POST, "/api/v1/bulk/restart").json(&body);
        assert_eq!(request.send().await.unwrap().status(), status, "{body}");
    }
    // An operator may mean everybody's.
    let request = world.ask(Method::POST, "/api/v1/bulk/restart").bearer_auth(MASTER);
    let all = json!({"selector": {"account": "*"}, "dry_run": true});
    let plan: Value = request.json(&all).send().await.unwrap().json().await.unwrap();
    assert_eq!(plan["items"].as_array().unwrap().len(), 2);
}
