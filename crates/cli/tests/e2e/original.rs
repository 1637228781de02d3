//! The original's admin calls against the real binary, over TCP, with the master token alone.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::platform::Platform;

pub const SECRET: &str = "an-admin-secret-of-some-length";

#[test]
fn the_calls_of_the_original_work_unchanged() {
    let puppet = PathBuf::from(env!("CARGO_BIN_EXE_smartbox")).with_file_name("smartbox-puppet");
    assert!(puppet.exists(), "build the whole workspace first: {} is missing", puppet.display());
    let config = format!("[engine]\nname = \"puppet\"\npath = {puppet:?}\n");
    let platform = Platform::start(&config, &[("MOLTBOT_GATEWAY_MASTER_TOKEN", SECRET)]);
    platform.wait_for("pa", "running", Duration::from_secs(120));
    let get = |path: &str| call(&platform, "GET", path, SECRET, None);
    let post = |path: &str, body: Value| call(&platform, "POST", path, SECRET, Some(&body));

    let (status, dashboard) = get("/api/super/state/dashboard");
    assert_eq!((status, &dashboard["summary"]["active"]), (200, &json!(1)), "{dashboard}");
    let user = dashboard["users"][0]["userId"].as_str().unwrap().to_owned();
    let (status, state) = get(&format!("/api/super/users/{user}/state/v2"));
    assert_eq!(
        (status, &state["state"], &state["gatewayHealthy"]),
        (200, &json!("active"), &json!(true))
    );

    let exec = format!("/api/super/users/{user}/exec");
    let order = json!({ "command": "echo \"$WHO\"; pwd; exit 3", "env": { "WHO": "me" }, "workingDir": "/tmp" });
    let (status, ran) = post(&exec, order);
    assert_eq!(
        (status, &ran["status"], &ran["exitCode"]),
        (200, &json!("completed"), &json!(3)),
        "{ran}"
    );
    assert_eq!(ran["stdout"], "me\n/tmp\n");
    let (status, later) = get(ran["pollUrl"].as_str().unwrap());
    assert_eq!((status, &later["stdout"], &later["execId"]), (200, &ran["stdout"], &ran["execId"]));
    let (status, hung) = post(&exec, json!({ "command": "sleep 600", "timeout": 500 }));
    assert_eq!((status, &hung["status"]), (200, &json!("timeout")), "{hung}");

    files(&get, &post);
    let config = "/api/super/users/me/config";
    let patch = json!({ "model": "claude-sonnet-4-5" });
    let (status, patched) = call(&platform, "PATCH", config, SECRET, Some(&patch));
    assert_eq!((status, &patched["success"]), (200, &json!(true)), "{patched}");
    let (status, read) = get(config);
    assert_eq!((status, &read["config"]), (200, &patched["config"]), "{read}");
    assert!(read["config"].to_string().contains("claude-sonnet-4-5"), "{read}");
    let (status, history) = get(&format!("{config}/history"));
    assert!(status == 200 && history["count"].as_u64() >= Some(1), "{history}");
    let (status, refused) = post(&format!("{config}/rollback"), json!({ "version": 99 }));
    assert!(status == 404 && refused["error"].is_string(), "{refused}");
    let (status, heard) = post("/api/super/users/me/message", json!({ "message": "hello" }));
    assert_eq!((status, &heard["status"]), (200, &json!("complete")), "{heard}");
    let (status, listed) = get("/api/super/users/me/sessions");
    assert_eq!((status, &listed["count"]), (200, &json!(1)), "{listed}");
    let key = listed["sessions"][0]["sessionKey"].as_str().unwrap();
    let again = json!({ "message": "once more", "sessionKey": key });
    assert_eq!(post("/api/super/users/me/message", again).0, 200, "its key is one that is taken");
    assert_eq!(get("/api/super/users/me/sessions").1["count"], 1, "and it means the same one");
    let starts = || {
        let (_, pa) =
            crate::api::call(platform.data.path(), "GET", "/api/v1/boxes/pa", None).unwrap();
        pa["starts"].as_u64().unwrap()
    };
    let before = starts();
    let (status, restarting) = post("/api/super/users/me/restart-async", json!({}));
    assert_eq!((status, &restarting["success"]), (200, &json!(true)), "{restarting}");
    platform.ok(["wake", "pa"]);
    assert_eq!(starts(), before + 1);
    bulk(&platform, &get, &post);
    let (status, logs) = get("/api/super/users/me/logs?tail=3");
    assert!(status == 200 && logs["stdoutLines"].as_u64().unwrap() <= 3, "{logs}");

    let (status, refused) = call(&platform, "GET", "/api/super/state/dashboard", "wrong", None);
    assert!(status == 403 && refused["error"].is_string(), "{refused}");
}

/// Both are jobs: a patch is waited for, and the end of a restart is where the answer says.
fn bulk(platform: &Platform, get: &dyn Fn(&str) -> Answer, post: &dyn Fn(&str, Value) -> Answer) {
    let patch = json!({ "patch": { "model": "claude-opus-4-1" }, "userIds": ["me"] });
    let (status, done) = post("/api/super/bulk/config-patch", patch);
    assert_eq!(
        (status, &done["status"], &done["succeeded"]),
        (200, &json!("complete"), &json!(1)),
        "{done}"
    );
    assert_eq!(done["results"][0]["success"], json!(true), "{done}");
    let (_, read) = get("/api/super/users/me/config");
    assert!(read["config"].to_string().contains("claude-opus-4-1"), "{read}");
    platform.ok(["wake", "pa"]);
    let (status, begun) = post("/api/super/bulk/restart", json!({ "delayMs": 10 }));
    assert_eq!((status, &begun["total"]), (202, &json!(1)), "{begun}");
    platform.ok(["jobs", "follow", begun["jobId"].as_str().unwrap()]);
    let where_to = begun["checkStatusUrl"].as_str().unwrap();
    let (_, job) = crate::api::call(platform.data.path(), "GET", where_to, None).unwrap();
    assert_eq!((&job["state"], &job["result"]["ok"]), (&json!("succeeded"), &json!(1)), "{job}");
}

type Answer = (u16, Value);

/// A file is written by one call, and read and listed by others, under each of its names.
fn files(get: &dyn Fn(&str) -> Answer, post: &dyn Fn(&str, Value) -> Answer) {
    let files = "/api/super/users/me/files";
    let operations = json!([
        { "op": "write", "path": "/root/notes/a.txt", "content": "one" },
        { "op": "read", "path": "notes/a.txt" },
        { "op": "read", "path": "notes/b.txt" },
        { "op": "read", "path": "../../etc/passwd" },
    ]);
    let (status, done) = post(&format!("{files}/batch"), json!({ "operations": operations }));
    assert_eq!(
        (status, &done["succeeded"], &done["failed"]),
        (200, &json!(2), &json!(2)),
        "{done}"
    );
    let (status, read) = get(&format!("{files}/home/box/notes/a.txt"));
    assert_eq!((status, &read["content"]), (200, &json!("one")), "{read}");
    assert_eq!(get(&format!("{files}/notes/a.txt/exists")).1, json!({ "exists": true }));
    let (status, listed) = get(&format!("{files}?path=/root/notes"));
    assert_eq!((status, &listed["files"][0]["name"]), (200, &json!("a.txt")), "{listed}");
}

pub fn call(
    platform: &Platform,
    method: &str,
    path: &str,
    secret: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    let mut socket = TcpStream::connect(platform.listen()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let (host, body) = (platform.listen(), body.map(Value::to_string).unwrap_or_default());
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nx-admin-secret: {secret}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all((head + &body).as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}")))
}
