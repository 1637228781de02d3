//! Files over HTTP: ranges, digests, conditions, batches, folders; and what a hostile file may not do.

use http::Method;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use smartbox_api::file::{FileView, FileWritten, digest_header, digest_of};
use smartbox_api::page::Page;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::World;

const FILES: &str = "/api/v1/boxes/pa/files";

fn content(world: &World, method: Method, rest: &str) -> RequestBuilder {
    world.as_owner(method, &format!("{FILES}/content?path={rest}"))
}

async fn put(world: &World, rest: &str, body: &'static str) -> FileWritten {
    let answer = content(world, Method::PUT, rest).body(body).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    answer.json().await.unwrap()
}

async fn get(world: &World, rest: &str) -> Response {
    content(world, Method::GET, rest).send().await.unwrap()
}

async fn refused(request: RequestBuilder, status: u16, code: &str) {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), status);
    assert_eq!(answer.json::<Value>().await.unwrap()["code"], code);
}

#[tokio::test]
async fn a_file_goes_in_and_out_in_parts_and_wakes_nobody() {
    let world = World::new().await;
    let stop =
        world.as_owner(Method::POST, "/api/v1/boxes/pa/stop").json(&json!({ "wait_ms": 60000 }));
    assert_eq!(stop.send().await.unwrap().status(), 200);
    let epoch = world.pa().await.epoch;
    let written = put(&world, "notes%2Fa%20b&parents=true&mode=0640", "0123456789").await;
    assert_eq!((written.file.size, written.file.mode.as_str()), (10, "0640"));
    let answer = get(&world, "notes/a+b").await;
    let header =
        |answer: &Response, name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header(&answer, "etag"), written.file.etag);
    assert_eq!(header(&answer, "content-length"), "10");
    assert_eq!(header(&answer, "content-type"), "application/octet-stream");
    assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
    assert!(header(&answer, "content-security-policy").starts_with("sandbox;"));
    assert!(header(&answer, "content-disposition").starts_with("attachment"));
    assert_eq!(answer.text().await.unwrap(), "0123456789");

    let ask = |name: &'static str, value: String| {
        content(&world, Method::GET, "notes/a+b").header(name, value).send()
    };
    let part = ask("range", "bytes=2-4".into()).await.unwrap();
    assert_eq!(
        (part.status(), header(&part, "content-range")),
        (StatusCode::PARTIAL_CONTENT, "bytes 2-4/10".into())
    );
    assert_eq!(part.text().await.unwrap(), "234");
    let beyond = content(&world, Method::GET, "notes/a+b").header("range", "bytes=10-");
    refused(beyond, 416, "bad-range").await;
    let same = ask("if-none-match", written.file.etag.clone()).await.unwrap();
    assert_eq!(same.status(), 304);
    let digest = ask("want-repr-digest", "sha-256=1".into()).await.unwrap();
    let digest = digest_of(&header(&digest, "repr-digest")).unwrap();
    assert_eq!(hex::encode(digest), written.sha256);
    let head = content(&world, Method::HEAD, "notes/a+b").send().await.unwrap();
    assert_eq!((head.status(), header(&head, "content-length")), (StatusCode::OK, "10".into()));
    assert_eq!(world.sim.file(&world.pa().await.id, "notes/a b").unwrap(), b"0123456789");
    let row = world.pa().await;
    assert_eq!((row.epoch, row.state), (epoch, smartbox_core::smartbox::State::Stopped));
}

#[tokio::test]
async fn a_write_is_what_was_announced_or_nothing() {
    let world = World::new().await;
    let first = put(&world, "f", "first").await;
    let digest: [u8; 32] = hex::decode(&first.sha256).unwrap().try_into().unwrap();
    let write = || content(&world, Method::PUT, "f").body("second");
    refused(write().header("repr-digest", digest_header(&digest)), 400, "digest-mismatch").await;
    refused(write().header("content-digest", "sha-256=?"), 400, "bad-request").await;
    refused(write().header("if-none-match", "*"), 409, "exists").await;
    refused(write().header("if-match", "\"other\""), 412, "precondition-failed").await;
    refused(content(&world, Method::PUT, "f&mode=4755").body("x"), 400, "bad-request").await;
    refused(content(&world, Method::PUT, "no/such/dir").body("x"), 404, "not-found").await;
    refused(content(&world, Method::PUT, "f/g&parents=true").body("x"), 422, "refused").await;
    for path in ["..%2Fx", "%2Fetc%2Fpasswd", "a%2F..%2F..%2Fx", "", "a/", "%zz", "a%00b"] {
        refused(content(&world, Method::PUT, path).body("x"), 400, "bad-request").await;
        refused(content(&world, Method::GET, path), 400, "bad-request").await;
    }
    assert_eq!(get(&world, "f").await.text().await.unwrap(), "first");
    let matching = write().header("if-match", first.file.etag).send().await.unwrap();
    assert_eq!(matching.status(), 200);
    assert_eq!(get(&world, "f").await.text().await.unwrap(), "second");

    // The sender goes away in the middle.
    let mut stream = world.connect().await;
    let head = "PUT /api/v1/boxes/pa/files/content?path=f HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    assert_eq!(get(&world, "f").await.text().await.unwrap(), "second");
}

#[tokio::test]
async fn directories_are_listed_in_pages_changed_and_removed() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        put(&world, &format!("dir/{name}&parents=true"), "x").await;
    }
    let list = async |query: &str| -> Page<FileView> {
        let answer = world.as_owner(Method::GET, &format!("{FILES}?{query}")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    };
    let first = list("path=dir&limit=2").await;
    let names: Vec<_> = first.items.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    let rest = list(&format!("path=dir&limit=2&cursor={}", first.next.unwrap())).await;
    assert_eq!((rest.items.len(), rest.next), (1, None));
    assert!(list("").await.items.iter().any(|file| file.name == "dir"));
    let post = |what: &str, body: Value| {
        world.as_owner(Method::POST, &format!("{FILES}/{what}")).json(&body)
    };
    let made = post("mkdir", json!({ "path": "x/y", "parents": true })).send().await.unwrap();
    assert_eq!(made.json::<FileView>().await.unwrap().name, "y");
    refused(post("mkdir", json!({ "path": "x/y" })), 409, "exists").await;
    let moved = post("rename", json!({ "from": "dir", "to": "x/y/dir" })).send().await.unwrap();
    assert_eq!(moved.status(), 200);
    refused(post("rename", json!({ "from": "x", "to": "../x" })), 400, "bad-request").await;
    let stat = world.as_owner(Method::GET, &format!("{FILES}/stat?path=x/y/dir/a"));
    assert_eq!(stat.send().await.unwrap().json::<FileView>().await.unwrap().size, 1);
    let remove = |query: &str| world.as_owner(Method::DELETE, &format!("{FILES}?path={query}"));
    refused(remove("x"), 422, "refused").await;
    refused(remove(""), 400, "bad-request").await;
    assert_eq!(remove("x&recursive=true").send().await.unwrap().status(), 204);
    refused(remove("x"), 404, "not-found").await;
}

#[tokio::test]
async fn a_batch_has_a_result_an_operation() {
    let world = World::new().await;
    let batch = |operations: Value| {
        let body = json!({ "operations": operations });
        world.as_owner(Method::POST, &format!("{FILES}/batch")).json(&body)
    };
    let answer = batch(json!([
        { "op": "write", "path": "a/b", "content": "text" },
        { "op": "write", "path": "c", "content_base64": "/w==" },
        { "op": "read", "path": "a/b" },
        { "op": "read", "path": "c" },
        { "op": "read", "path": "../c" },
        { "op": "exists", "path": "nothing" },
        { "op": "mkdir", "path": "d/e" },
        { "op": "delete", "path": "a", "recursive": true },
        { "op": "stat", "path": "a" },
    ]));
    let answer: Value = answer.send().await.unwrap().json().await.unwrap();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), 9);
    assert_eq!(results[2]["content"], "text");
    assert_eq!(results[3]["content_base64"], "/w==");
    assert_eq!(results[4]["problem"]["status"], 400);
    assert_eq!(results[5]["exists"], false);
    assert_eq!(results[6]["file"]["kind"], "directory");
    assert_eq!(results[8]["problem"]["code"], "not-found");
    let many: Vec<Value> = (0..51).map(|_| json!({ "op": "exists", "path": "x" })).collect();
    refused(batch(many.into()), 422, "refused").await;
    refused(batch(json!([{ "op": "write", "path": "x" }])), 400, "bad-request").await;
    refused(batch(json!([{ "op": "chmod", "path": "x" }])), 400, "bad-request").await;
}

#[tokio::test]
async fn a_folder_travels_as_an_archive() {
    let world = World::new().await;
    put(&world, "src/sub/a&parents=true", "a").await;
    let archive =
        |method, path: &str| world.as_owner(method, &format!("{FILES}/archive?path={path}"));
    let packed = archive(Method::GET, "src").send().await.unwrap();
    assert_eq!(packed.headers()["content-type"], "application/x-tar");
    assert!(packed.headers()["content-disposition"].to_str().unwrap().ends_with("src%2Etar"));
    let bytes = packed.bytes().await.unwrap();
    let done = archive(Method::PUT, "to").body(bytes.clone()).send().await.unwrap();
    assert_eq!(
        done.json::<Value>().await.unwrap(),
        json!({ "files": 1, "directories": 1, "bytes": 1 })
    );
    assert_eq!(get(&world, "to/sub/a").await.text().await.unwrap(), "a");
    refused(archive(Method::PUT, "to").body("this is no archive"), 400, "bad-request").await;
    refused(archive(Method::PUT, "to").body("x".repeat(2048)), 422, "refused").await;
    refused(archive(Method::GET, "nothing"), 404, "not-found").await;
    refused(archive(Method::PUT, "..").body(bytes), 400, "bad-request").await;
}
