//! The API at work: boxes, messages, commands, logs, secrets, tokens.

use bytes::BytesMut;
use http::Method;
use smartbox_api::exec::{ExecOrder, Frame};
use smartbox_api::link::SignInLink;
use smartbox_api::message::{Delivery, MessageView, TurnEvent};
use smartbox_api::page::Page;
use smartbox_api::platform::PlatformStatus;
use smartbox_api::secret::SecretView;
use smartbox_api::smartbox::{SmartboxView, State};
use smartbox_api::sse::Decoder;
use smartbox_api::token::MadeToken;

use crate::world::World;

#[tokio::test]
async fn a_box_is_made_looked_at_put_to_sleep_and_removed() {
    let world = World::new().await;
    let new = serde_json::json!({ "name": "two", "kind": "project", "desired": "on" });
    let made = world.as_owner(Method::POST, "/api/v1/boxes").json(&new).send().await.unwrap();
    assert_eq!(made.status(), 201);
    assert_eq!(made.headers()["location"], "/api/v1/boxes/two");
    let act = |verb: &str, body: &'static str| {
        let request = world.as_owner(Method::POST, &format!("/api/v1/boxes/two/{verb}"));
        request.header("content-type", "application/json").body(body).send()
    };
    for (verb, body, want) in [
        ("wake", r#"{"wait_ms":60000}"#, State::Running),
        ("sleep", r#"{"wait_ms":60000}"#, State::Frozen),
        ("wake", r#"{"wait_ms":60000}"#, State::Running),
        ("sleep", r#"{"wait_ms":60000,"deep":true}"#, State::Stopped),
        ("restart", r#"{"wait_ms":60000}"#, State::Running),
        ("stop", r#"{"wait_ms":60000}"#, State::Stopped),
    ] {
        let answer = act(verb, body).await.unwrap();
        assert_eq!(answer.status(), 200, "{verb}");
        let view: SmartboxView = answer.json().await.unwrap();
        assert_eq!(view.state, want, "{verb}");
    }
    let off = act("messages", r#"{"text":"hi"}"#).await.unwrap();
    assert_eq!(off.status(), 503);
    assert!(off.text().await.unwrap().contains("smartbox start two"));

    let list = world.as_owner(Method::GET, "/api/v1/boxes").send().await.unwrap();
    let list: Page<serde_json::Value> = list.json().await.unwrap();
    let names: Vec<_> = list.items.iter().map(|b| b["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["pa", "two"]);
    for key in ["id", "name", "kind", "state"] {
        assert!(list.items.iter().all(|b| b[key].is_string()), "{key}");
    }
    let gone = world.as_owner(Method::DELETE, "/api/v1/boxes/two").send().await.unwrap();
    assert_eq!(gone.status(), 204);
    let gone = world.as_owner(Method::GET, "/api/v1/boxes/two").send().await.unwrap();
    assert_eq!(gone.status(), 404);
}

#[tokio::test]
async fn a_message_is_accepted_followed_and_answered() {
    let world = World::new().await;
    let id = "msg_00000000000000000001";
    let send = || {
        let body = serde_json::json!({ "id": id, "text": "hello", "channel": "cli" });
        world.as_owner(Method::POST, "/api/v1/boxes/pa/messages").json(&body).send()
    };
    let answer = send().await.unwrap();
    assert_eq!(answer.status(), 202);
    assert_eq!(answer.headers()["location"], format!("/api/v1/messages/{id}"));
    // Sent twice, it is one message.
    assert_eq!(send().await.unwrap().status(), 202);

    let path = format!("/api/v1/messages/{id}/events");
    for _ in 0..2 {
        let events = world.as_owner(Method::GET, &path).send().await.unwrap();
        assert_eq!(events.headers()["content-type"], "text/event-stream");
        let mut decoder = Decoder::default();
        decoder.push(&events.bytes().await.unwrap());
        let mut last = None;
        while let Some(event) = decoder.next_event().unwrap() {
            last = Some(event);
        }
        assert_eq!(last, Some(TurnEvent::Answered("you said: hello".into())));
    }
    let view = world.as_owner(Method::GET, &format!("/api/v1/messages/{id}")).send().await.unwrap();
    let view: MessageView = view.json().await.unwrap();
    assert_eq!((view.state, view.channel.as_str()), (Delivery::Answered, "cli"));
}

#[tokio::test]
async fn a_command_runs_in_a_box_while_its_input_is_open() {
    let world = World::new().await;
    let order = ExecOrder {
        argv: vec!["echo".into(), "a b".into()],
        env: std::collections::BTreeMap::new(),
        cwd: None,
        timeout_ms: None,
        tty: None,
    };
    let mut first = BytesMut::new();
    Frame::Order(Box::new(order)).encode(&mut first);
    let (input, frames) = tokio::sync::mpsc::channel::<Result<bytes::Bytes, std::io::Error>>(4);
    input.send(Ok(first.freeze())).await.unwrap();
    let frames = futures_util::stream::unfold(frames, |mut frames| async move {
        frames.recv().await.map(|frame| (frame, frames))
    });
    let request = world.as_owner(Method::POST, "/api/v1/boxes/pa/exec");
    let answer = request.body(reqwest::Body::wrap_stream(frames)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    // The request is still open: what comes back does not wait for its end.
    let mut bytes = BytesMut::from(&answer.bytes().await.unwrap()[..]);
    drop(input);
    let out = Frame::decode(&mut bytes).unwrap();
    assert_eq!(out, Some(Frame::Stdout(bytes::Bytes::from_static(b"echo a b"))));
    let Some(Frame::Exit(exit)) = Frame::decode(&mut bytes).unwrap() else { panic!("no exit") };
    assert_eq!(exit.code, Some(0));
}

#[tokio::test]
async fn a_log_is_read_and_followed_without_waking_the_box() {
    let world = World::new().await;
    let pa = world.pa().await;
    world
        .app
        .control
        .settle(&pa.id, &[State::Running], std::time::Duration::from_secs(60))
        .await
        .unwrap();
    world.sim.log(&pa.id, "first");
    let page = world.as_owner(Method::GET, "/api/v1/boxes/pa/log").send().await.unwrap();
    let next = page.headers()["smartbox-log-next"].to_str().unwrap().to_owned();
    assert_eq!(page.text().await.unwrap(), "first\n");
    let path = format!("/api/v1/boxes/pa/log?from={next}&follow=true");
    let mut following = world.as_owner(Method::GET, &path).send().await.unwrap();
    world.sim.log(&pa.id, "second");
    assert_eq!(following.chunk().await.unwrap().unwrap(), "second\n");
    world.app.draining.cancel();
    assert!(following.chunk().await.unwrap().is_none(), "it ends when the platform does");
}

#[tokio::test]
async fn a_secrets_value_goes_in_and_never_comes_out() {
    let world = World::new().await;
    let value = serde_json::json!({ "value": "sk-canary" });
    let path = "/api/v1/secrets/ANTHROPIC_API_KEY";
    let status = || async {
        let answer = world.as_owner(Method::GET, "/api/v1/status").send().await.unwrap();
        answer.json::<PlatformStatus>().await.unwrap()
    };
    let before = status().await;
    assert!(before.missing[0].contains("smartbox secret set ANTHROPIC_API_KEY"));
    assert_eq!(before.models, ["demo"]);
    let put = world.as_owner(Method::PUT, path).json(&value).send().await.unwrap();
    assert_eq!(put.status(), 204);
    let list = world.as_owner(Method::GET, "/api/v1/secrets").send().await.unwrap();
    let text = list.text().await.unwrap();
    assert!(!text.contains("sk-canary"), "{text}");
    let views: Page<SecretView> = serde_json::from_str(&text).unwrap();
    let first = &views.items[0];
    assert_eq!((first.name.as_str(), first.scope.as_str()), ("ANTHROPIC_API_KEY", "account"));
    let after = status().await;
    assert_eq!((after.models, after.missing), (vec!["anthropic".into(), "demo".into()], vec![]));
    for (bad, body) in [("lower", &value), ("KEY", &serde_json::json!({ "value": "" }))] {
        let request = world.as_owner(Method::PUT, &format!("/api/v1/secrets/{bad}"));
        assert_eq!(request.json(body).send().await.unwrap().status(), 400, "{bad}");
    }
    let request = world.as_owner(Method::DELETE, path);
    assert_eq!(request.send().await.unwrap().status(), 204);
    let request = world.as_owner(Method::DELETE, path);
    assert_eq!(request.send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_token_works_until_it_is_revoked() {
    let world = World::new().await;
    let made = world.as_owner(Method::POST, "/api/v1/tokens").send().await.unwrap();
    assert_eq!(made.status(), 201);
    let made: MadeToken = made.json().await.unwrap();
    let ask = || world.ask(Method::GET, "/api/v1/boxes").bearer_auth(&made.token).send();
    assert_eq!(ask().await.unwrap().status(), 200);
    let revoked = world.as_owner(Method::DELETE, "/api/v1/tokens").send().await.unwrap();
    assert_eq!(revoked.status(), 204);
    assert_eq!(ask().await.unwrap().status(), 401);
    let link = world.as_owner(Method::GET, "/api/v1/boxes").send().await.unwrap();
    assert_eq!(link.status(), 200, "the link's token is another");
}

#[tokio::test]
async fn a_sign_in_link_leads_to_the_boxs_own_door() {
    let world = World::new().await;
    let link = world.as_owner(Method::POST, "/api/v1/boxes/pa/link").send().await.unwrap();
    let link: SignInLink = link.json().await.unwrap();
    let start = format!("http://pa.localhost:{}/_smartbox/enter?ticket=", world.port);
    assert!(link.url.starts_with(&start) && link.expires.is_some());
}
