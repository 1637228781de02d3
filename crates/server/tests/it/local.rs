//! The local socket: a process of our own uid needs no token, and no host name.

use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use smartbox_core::store;

use crate::world::World;

async fn get(world: &World, path: &str) -> (u16, bytes::Bytes) {
    let io = TokioIo::new(world.connect().await);
    let (mut sender, connection) = http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::builder().uri(path).header("host", "smartbox");
    let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn the_local_command_line_needs_no_token() {
    let world = World::new().await;
    let (status, body) = get(&world, "/api/v1/boxes").await;
    assert_eq!(status, 200);
    let boxes: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(boxes["items"][0]["name"], "pa");
}

#[tokio::test]
async fn the_audit_says_who_came_by_which_way() {
    let world = World::new().await;
    let io = TokioIo::new(world.connect().await);
    let (mut sender, connection) = http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::post("/api/v1/boxes/pa/stop");
    let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
    assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
    let account = world.app.account.id.clone();
    let acts = store::read(&*world.app.store, |tx| {
        Box::pin(async move { tx.audit().list(account, 0, 100).await })
    });
    let acts = acts.await.unwrap();
    let last = &acts.last().unwrap().act;
    assert_eq!((last.action.as_str(), last.actor.as_str()), ("box.stop", "cli:uid=1234"));
}
