//! Every operation of the OpenAPI document, asked by its owner, by another account, and by nobody. The
//! document drives it: a route that is new has no example here, and the test says so.

use std::time::Duration;

use bytes::BytesMut;
use http::Method;
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use smartbox_api::exec::{ExecOrder, Frame, MEDIA_TYPE};
use smartbox_core::device::{self, Asking, Device, DeviceId, PublicKey};
use smartbox_core::egress;
use smartbox_core::id::SmartboxId;
use smartbox_core::issue::{Issue, Kind as About, Severity};
use smartbox_core::job::{Happening, Item, Job, JobState, Outcome, Progress};
use smartbox_core::person::Right;
use smartbox_core::smartbox::{Kind, Smartbox};
use smartbox_core::store;
use smartbox_server::http::doc::document;
use smartbox_server::http::routes;

use crate::schema::misfit;
use crate::tenancy::Tenant;
use crate::world::{MASTER, World};

const OVER: &str = "job_00000000000000000001";
const HELD: &str = "job_00000000000000000002";
const MESSAGE: &str = "msg_00000000000000000001";
/// What the id of the owner's command stands for in an example.
const COMMAND: &str = "COMMAND";
/// What the id of the owner's removed box stands for in an example.
const REMOVED: &str = "REMOVED";
/// What the id of a token of the owner's stands for in an example.
const TOKEN: &str = "TOKEN";
/// What the id of an operator's key stands for in an example.
const KEY: &str = "KEY_OF_OPERATOR";
/// What stands in the owner's account and must never reach another.
const MARK: &str = "owners-mark";

macro_rules! device {
    () => {
        // Of a key of 32 ones.
        "/api/v1/devices/72cd6e8422c407fb6d098690f1130b7ded7ec2f7f5e1d30bd9d521f015363793"
    };
}
const DEVICE: &str = device!();

/// A request that its right caller may make in the account that [`prepare`] makes.
pub(crate) struct Example {
    pub path: &'static str,
    pub body: Option<(&'static str, Vec<u8>)>,
    by: By,
    to_others: ToOthers,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Anybody,
    Account,
    Operator,
}

/// What another account gets for the very same request.
#[derive(PartialEq, Eq)]
enum ToOthers {
    /// Refused as if there were nothing: 404, or 403.
    Nothing,
    /// The same of their own account, and nothing of the owner's.
    TheirOwn,
}

#[expect(clippy::too_many_lines, reason = "a table, with a row for each operation")]
pub(crate) fn example(operation: &str) -> Option<Example> {
    use ToOthers::{Nothing, TheirOwn};
    let (path, body, to_others) = match operation {
        "boxes_list" => ("/api/v1/boxes", None, TheirOwn),
        "boxes_create" => ("/api/v1/boxes", Some(json!({ "name": "new" })), TheirOwn),
        "boxes_get" | "boxes_remove" => ("/api/v1/boxes/owners-mark", None, Nothing),
        "boxes_change" => {
            ("/api/v1/boxes/owners-mark", Some(json!({ "display_name": "x" })), Nothing)
        }
        "accounts_get" => ("/api/v1/accounts/owner", None, Nothing),
        "kinds_list" => ("/api/v1/kinds", None, TheirOwn),
        "tiers_list" => ("/api/v1/tiers", None, TheirOwn),
        "metrics_get" => return Some(operate("/metrics", None)),
        "accounts_list" => return Some(operate("/api/v1/accounts", None)),
        "accounts_create" => {
            return Some(operate("/api/v1/accounts", Some(json!({ "name": "fresh" }))));
        }
        "accounts_change" => {
            let change = json!({ "display_name": "x" });
            return Some(operate("/api/v1/accounts/owner", Some(change)));
        }
        "accounts_remove" => return Some(operate("/api/v1/accounts/owner?boxes=remove", None)),
        "boxes_wake" => {
            ("/api/v1/boxes/owners-mark/wake", Some(json!({ "wait_ms": 60_000 })), Nothing)
        }
        "boxes_sleep" => ("/api/v1/boxes/owners-mark/sleep", None, Nothing),
        "boxes_start" => ("/api/v1/boxes/owners-mark/start", None, Nothing),
        "boxes_stop" => ("/api/v1/boxes/owners-mark/stop", None, Nothing),
        "boxes_restart" => ("/api/v1/boxes/owners-mark/restart", None, Nothing),
        "boxes_reset" => ("/api/v1/boxes/owners-mark/reset", None, Nothing),
        "boxes_link" => ("/api/v1/boxes/owners-mark/link", None, Nothing),
        "messages_post" => {
            ("/api/v1/boxes/owners-mark/messages", Some(json!({ "text": "hi" })), Nothing)
        }
        "messages_get" => ("/api/v1/messages/msg_00000000000000000001", None, Nothing),
        "messages_events" => ("/api/v1/messages/msg_00000000000000000001/events", None, Nothing),
        "jobs_list" => ("/api/v1/jobs", None, TheirOwn),
        "jobs_get" | "jobs_remove" => ("/api/v1/jobs/job_00000000000000000001", None, Nothing),
        "jobs_items" => ("/api/v1/jobs/job_00000000000000000001/items", None, Nothing),
        "jobs_events" => ("/api/v1/jobs/job_00000000000000000001/events", None, Nothing),
        "jobs_cancel" => ("/api/v1/jobs/job_00000000000000000002/cancel", None, Nothing),
        "jobs_pause" => ("/api/v1/jobs/job_00000000000000000002/pause", None, Nothing),
        "jobs_resume" => ("/api/v1/jobs/job_00000000000000000002/resume", None, Nothing),
        "bulk_config" => {
            let body = Some(json!({ "all": true, "patch": { "ui": { "a": 1 } } }));
            ("/api/v1/bulk/config", body, TheirOwn)
        }
        "bulk_restart" => ("/api/v1/bulk/restart", Some(json!({ "all": true })), TheirOwn),
        "history_get" => ("/api/v1/boxes/owners-mark/history", None, Nothing),
        "messages_list" => ("/api/v1/boxes/owners-mark/messages", None, Nothing),
        "sessions_list" => ("/api/v1/boxes/owners-mark/sessions", None, Nothing),
        "config_get" => ("/api/v1/boxes/owners-mark/config", None, Nothing),
        "config_replace" | "config_patch" => {
            ("/api/v1/boxes/owners-mark/config", Some(json!({ "ui": { "a": 1 } })), Nothing)
        }
        "config_history" => ("/api/v1/boxes/owners-mark/config/history", None, Nothing),
        "config_revision" => ("/api/v1/boxes/owners-mark/config/history/1", None, Nothing),
        "config_roll_back" => {
            let body = Some(json!({ "revision": 1 }));
            ("/api/v1/boxes/owners-mark/config/rollback", body, Nothing)
        }
        "config_reload" => ("/api/v1/boxes/owners-mark/config/reload", None, Nothing),
        "config_schema" => ("/api/v1/boxes/owners-mark/config/schema", None, Nothing),
        "egress_list" => ("/api/v1/egress/rules?box=owners-mark", None, Nothing),
        "egress_add" => (
            "/api/v1/egress/rules",
            Some(json!({ "box": "owners-mark", "host": "a.example" })),
            Nothing,
        ),
        "egress_remove" => {
            let path = "/api/v1/egress/rules/egr_00000000000000000001?box=owners-mark";
            (path, None, Nothing)
        }
        "egress_presets" => ("/api/v1/egress/presets", None, TheirOwn),
        "egress_uses" => ("/api/v1/boxes/owners-mark/egress", None, Nothing),
        "snapshots_list" | "snapshots_take" => {
            ("/api/v1/boxes/owners-mark/snapshots", None, Nothing)
        }
        "snapshots_get" => ("/api/v1/boxes/owners-mark/snapshots/1", None, Nothing),
        "snapshots_status" => ("/api/v1/boxes/owners-mark/snapshots/status", None, Nothing),
        "snapshots_change" => {
            let body = Some(json!({ "objective": "30s", "keep": "last=3" }));
            ("/api/v1/boxes/owners-mark/snapshots/status", body, Nothing)
        }
        "snapshots_files" => ("/api/v1/boxes/owners-mark/snapshots/1/files", None, Nothing),
        "snapshots_content" => {
            ("/api/v1/boxes/owners-mark/snapshots/1/content?path=kept", None, Nothing)
        }
        "snapshots_archive" => {
            ("/api/v1/boxes/owners-mark/snapshots/newest/archive", None, Nothing)
        }
        "snapshots_diff" => ("/api/v1/boxes/owners-mark/snapshots/1/diff", None, Nothing),
        "snapshots_restore" => {
            let body = Some(json!({ "paths": ["kept"] }));
            ("/api/v1/boxes/owners-mark/snapshots/1/restore", body, Nothing)
        }
        "snapshots_fork" => {
            let body = Some(json!({ "name": "copy" }));
            ("/api/v1/boxes/owners-mark/snapshots/1/fork", body, Nothing)
        }
        "snapshots_verify" => ("/api/v1/boxes/owners-mark/snapshots/verify", None, Nothing),
        "snapshots_prune" => ("/api/v1/boxes/owners-mark/snapshots/prune", None, Nothing),
        "snapshots_drill" => ("/api/v1/boxes/owners-mark/snapshots/drill", None, Nothing),
        "snapshots_password" => {
            let body = Some(json!({ "password": "a very long one" }));
            ("/api/v1/boxes/owners-mark/snapshots/password", body, Nothing)
        }
        "tombstones_list" => ("/api/v1/tombstones", None, TheirOwn),
        "tombstones_undelete" => ("/api/v1/tombstones/REMOVED/undelete", None, Nothing),
        "tombstones_purge" => ("/api/v1/tombstones/REMOVED", None, Nothing),
        "lost_list" => return Some(operate("/api/v1/lost", None)),
        "lost_recover" => return Some(operate("/api/v1/lost", Some(json!({ "all": true })))),
        "moves_export" => ("/api/v1/boxes/owners-mark/export", None, Nothing),
        "moves_import" => {
            let moved = bytes("/api/v1/imports?name=moved", "application/octet-stream", state());
            return Some(Example { to_others: TheirOwn, ..moved });
        }
        "moves_import_bucket" => {
            let from = json!({
                "bucket": "moltbot-data",
                "endpoint": "https://s3.example.com",
                "key": { "id": "AKID", "secret": "BUCKET_KEY" },
                "name": "moved",
            });
            return Some(operate("/api/v1/imports/bucket", Some(from)));
        }
        "log_get" => ("/api/v1/boxes/owners-mark/log", None, Nothing),
        "log_lines" => ("/api/v1/boxes/owners-mark/logs", None, Nothing),
        "exec_post" => return Some(command()),
        "execs_list" => ("/api/v1/boxes/owners-mark/execs", None, Nothing),
        "execs_post" => (
            "/api/v1/boxes/owners-mark/execs",
            Some(json!({ "argv": ["true"], "wait_ms": 60_000 })),
            Nothing,
        ),
        "execs_get" | "execs_remove" => ("/api/v1/boxes/owners-mark/execs/COMMAND", None, Nothing),
        "files_list" => ("/api/v1/boxes/owners-mark/files", None, Nothing),
        "files_stat" => ("/api/v1/boxes/owners-mark/files/stat?path=kept", None, Nothing),
        "files_remove" => ("/api/v1/boxes/owners-mark/files?path=kept", None, Nothing),
        "files_read" => ("/api/v1/boxes/owners-mark/files/content?path=kept", None, Nothing),
        "files_pack" => ("/api/v1/boxes/owners-mark/files/archive?path=folder", None, Nothing),
        "files_write" => {
            let path = "/api/v1/boxes/owners-mark/files/content?path=new";
            return Some(bytes(path, "application/octet-stream", b"x".to_vec()));
        }
        "files_unpack" => {
            let path = "/api/v1/boxes/owners-mark/files/archive?path=new";
            return Some(bytes(path, "application/x-tar", vec![0; 1024]));
        }
        "files_mkdir" => {
            let body = Some(json!({ "path": "made" }));
            ("/api/v1/boxes/owners-mark/files/mkdir", body, Nothing)
        }
        "files_rename" => {
            let body = Some(json!({ "from": "kept", "to": "moved" }));
            ("/api/v1/boxes/owners-mark/files/rename", body, Nothing)
        }
        "files_batch" => {
            let body = Some(json!({ "operations": [{ "op": "read", "path": "kept" }] }));
            ("/api/v1/boxes/owners-mark/files/batch", body, Nothing)
        }
        "secrets_list" => ("/api/v1/secrets", None, TheirOwn),
        "secrets_put" => ("/api/v1/secrets/KEY", Some(json!({ "value": "v" })), TheirOwn),
        "secrets_services" => ("/api/v1/secrets/services", None, TheirOwn),
        "secrets_bind" => {
            let body = json!({ "box": "owners-mark", "service": "github" });
            ("/api/v1/secrets/OWNERS_KEY/bindings", Some(body), Nothing)
        }
        "secrets_unbind" => ("/api/v1/secrets/OWNERS_KEY/bindings?box=owners-mark", None, Nothing),
        "secrets_placeholders" => ("/api/v1/boxes/owners-mark/placeholders", None, Nothing),
        "secrets_remove" => ("/api/v1/secrets/OWNERS_MARK", None, Nothing),
        "secrets_versions" => ("/api/v1/secrets/OWNERS_MARK/versions", None, Nothing),
        "secrets_roll_back" => {
            ("/api/v1/secrets/OWNERS_MARK/rollback", Some(json!({ "to": 1 })), Nothing)
        }
        "vault_get" => return Some(operate("/api/v1/vault", None)),
        "vault_rotate" => {
            return Some(operate("/api/v1/vault/rotate", Some(json!({ "what": "data" }))));
        }
        "dashboard_get" => ("/api/v1/dashboard", None, TheirOwn),
        "issues_list" => ("/api/v1/issues", None, TheirOwn),
        "issues_resolve" => ("/api/v1/issues/iss_00000000000000000001/resolve", None, Nothing),
        "devices_list" => ("/api/v1/devices", None, TheirOwn),
        "devices_get" => (DEVICE, None, Nothing),
        "devices_rename" => (DEVICE, Some(json!({ "name": "x" })), Nothing),
        "devices_find" => ("/api/v1/devices/find", Some(json!({ "code": "BCDF-GHJK" })), Nothing),
        "devices_approve" => {
            let how = json!({ "ask": device::code::hash("n") });
            (concat!(device!(), "/approve"), Some(how), Nothing)
        }
        "devices_reject" => (concat!(device!(), "/reject"), None, Nothing),
        "devices_revoke" => (concat!(device!(), "/revoke"), None, Nothing),
        "devices_invite" => ("/api/v1/devices/invite", Some(json!({ "name": "phone" })), TheirOwn),
        "devices_approve_all" => ("/api/v1/devices/approve-all", None, TheirOwn),
        "status_get" => ("/api/v1/status", None, TheirOwn),
        "audit_get" => ("/api/v1/audit", None, TheirOwn),
        "people_whoami" => ("/api/v1/whoami", None, TheirOwn),
        "people_list" => return Some(operate("/api/v1/people", None)),
        "people_create" => {
            let body = json!({ "email": "new@example.com" });
            return Some(operate("/api/v1/people", Some(body)));
        }
        "people_change" => {
            let body = json!({ "disabled": true });
            return Some(operate("/api/v1/people/mark@example.com", Some(body)));
        }
        "people_remove" => return Some(operate("/api/v1/people/mark@example.com", None)),
        "members_list" => ("/api/v1/accounts/owner/members", None, Nothing),
        "members_set" => {
            let body = Some(json!({ "role": "viewer" }));
            ("/api/v1/accounts/owner/members/mark@example.com", body, Nothing)
        }
        "members_remove" => ("/api/v1/accounts/owner/members/mark@example.com", None, Nothing),
        "shares_list" => ("/api/v1/boxes/owners-mark/shares", None, Nothing),
        "shares_set" => {
            let body = Some(json!({ "right": "chat" }));
            ("/api/v1/boxes/owners-mark/shares/mark@example.com", body, Nothing)
        }
        "shares_remove" => ("/api/v1/boxes/owners-mark/shares/mark@example.com", None, Nothing),
        "tokens_list" | "tokens_create" | "tokens_revoke" => ("/api/v1/tokens", None, TheirOwn),
        "tokens_remove" => ("/api/v1/tokens/TOKEN", None, Nothing),
        "tokens_rotate" => ("/api/v1/tokens/TOKEN/rotate", None, Nothing),
        "operators_list" => return Some(operate("/api/v1/operator-keys", None)),
        "operators_create" => {
            let body = json!({ "name": "x", "right": "read" });
            return Some(operate("/api/v1/operator-keys", Some(body)));
        }
        "operators_remove" => return Some(operate("/api/v1/operator-keys/KEY_OF_OPERATOR", None)),
        "health_live" => return Some(open("/health")),
        "health_ready" => return Some(open("/ready")),
        _ => return None,
    };
    let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
    Some(Example { path, body, by: By::Account, to_others })
}

fn operate(path: &'static str, body: Option<Value>) -> Example {
    let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
    Example { path, body, by: By::Operator, to_others: ToOthers::Nothing }
}

fn open(path: &'static str) -> Example {
    Example { path, body: None, by: By::Anybody, to_others: ToOthers::TheirOwn }
}

fn bytes(path: &'static str, kind: &'static str, body: Vec<u8>) -> Example {
    Example { path, body: Some((kind, body)), by: By::Account, to_others: ToOthers::Nothing }
}

/// A state directory with a workspace, as an archive.
fn state() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in [("openclaw.json", "{}"), ("workspace/MEMORY.md", "theirs")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        archive.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}

fn command() -> Example {
    let order = ExecOrder {
        argv: vec!["true".into()],
        env: std::collections::BTreeMap::new(),
        cwd: None,
        timeout_ms: None,
        tty: None,
    };
    let mut body = BytesMut::new();
    Frame::Order(Box::new(order)).encode(&mut body);
    let body = Some((MEDIA_TYPE, body.to_vec()));
    let path = "/api/v1/boxes/owners-mark/exec";
    Example { path, body, by: By::Account, to_others: ToOthers::Nothing }
}

/// The owner's account with one of everything, and another account with nothing.
async fn prepare() -> (World, Tenant, Tenant, String) {
    let world = World::new().await;
    let owner = Tenant::new(&world, "owner").await;
    let other = Tenant::new(&world, "other").await;
    let row = owner.smartbox(&world, MARK, Kind::CUSTOM).await;
    keep_rule(&world, row.clone()).await;
    keep_device(&world, &owner).await;
    issue(&world, row).await;
    let as_owner = |method, path: &str, body| {
        let request = world.ask(method, path).bearer_auth(&owner.token);
        let request = match body {
            None => request,
            Some(body) => request.json::<Value>(&body),
        };
        async move { assert!(request.send().await.unwrap().status().is_success()) }
    };
    let config = json!({ "ui": { "mark": "owners-mark" } });
    as_owner(Method::PATCH, "/api/v1/boxes/owners-mark/config", Some(config)).await;
    as_owner(Method::POST, "/api/v1/boxes/owners-mark/start", None).await;
    let message = json!({ "id": MESSAGE, "text": "owners-mark" });
    as_owner(Method::POST, "/api/v1/boxes/owners-mark/messages", Some(message)).await;
    let secret = json!({ "value": "owners-mark" });
    as_owner(Method::PUT, "/api/v1/secrets/OWNERS_MARK", Some(secret)).await;
    let secret = json!({ "value": "owners-mark", "box": "owners-mark" });
    as_owner(Method::PUT, "/api/v1/secrets/OWNERS_KEY", Some(secret)).await;
    let secret = json!({ "value": "opens a bucket" });
    let put = world.ask(Method::PUT, "/api/v1/secrets/BUCKET_KEY").bearer_auth(MASTER);
    assert!(put.json(&secret).send().await.unwrap().status().is_success());
    let bound = json!({ "box": "owners-mark", "service": "github" });
    as_owner(Method::PUT, "/api/v1/secrets/OWNERS_KEY/bindings", Some(bound)).await;
    let member = Some(json!({ "role": "viewer" }));
    as_owner(Method::PUT, "/api/v1/accounts/owner/members/mark@example.com", member).await;
    let share = Some(json!({ "right": "read" }));
    as_owner(Method::PUT, "/api/v1/boxes/owners-mark/shares/mark@example.com", share).await;
    let order = json!({ "argv": ["owners-mark"], "wait_ms": 60_000 });
    let execs = world.ask(Method::POST, "/api/v1/boxes/owners-mark/execs").json(&order);
    let ran = execs.bearer_auth(&owner.token).send().await.unwrap();
    let ran: Value = ran.json().await.unwrap();
    let files = json!({ "operations": [
        { "op": "write", "path": "kept", "content": MARK },
        { "op": "mkdir", "path": "folder" },
    ] });
    as_owner(Method::POST, "/api/v1/boxes/owners-mark/files/batch", Some(files)).await;
    for (id, state) in [(OVER, JobState::Succeeded), (HELD, JobState::Paused)] {
        keep_job(&world, &owner, id, state, None).await;
    }
    (world, owner, other, ran["id"].as_str().unwrap().to_owned())
}

/// A snapshot of the box, and another box that was removed: its id.
async fn kept(world: &World, owner: &Tenant) -> String {
    let as_owner = async |method: Method, path: &str| {
        let answer = world.ask(method, path).bearer_auth(&owner.token).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        answer.json::<Value>().await.unwrap_or_default()
    };
    owner.smartbox(world, "owners-mark-gone", Kind::CUSTOM).await;
    let path = "/api/v1/boxes/owners-mark-gone/files/content?path=note";
    let written = world.ask(Method::PUT, path).bearer_auth(&owner.token).body("note");
    assert!(written.send().await.unwrap().status().is_success());
    for name in [MARK, "owners-mark-gone"] {
        let taken = as_owner(Method::POST, &format!("/api/v1/boxes/{name}/snapshots")).await;
        let job = format!("/api/v1/jobs/{}", taken["id"].as_str().unwrap());
        loop {
            let job = as_owner(Method::GET, &job).await;
            match job["state"].as_str().unwrap() {
                "succeeded" => break,
                "queued" | "running" => tokio::task::yield_now().await,
                _ => panic!("{job}"),
            }
        }
    }
    as_owner(Method::DELETE, "/api/v1/boxes/owners-mark-gone").await;
    let stones = as_owner(Method::GET, "/api/v1/tombstones").await;
    stones["items"][0]["id"].as_str().unwrap().to_owned()
}

/// A rule of the box.
async fn keep_rule(world: &World, row: Smartbox) {
    let kept = egress::Kept {
        id: "egr_00000000000000000001".parse().unwrap(),
        scope: egress::Scope::Smartbox(row.id.clone()),
        effect: egress::Effect::Allow,
        what: egress::What::Rule(egress::Rule::parse("owners-mark.example").unwrap()),
        until: None,
        once: false,
        added: row.created,
    };
    let used = egress::Use {
        smartbox: row.id,
        day: egress::day(row.created),
        host: "owners-mark.example".into(),
        port: 443,
        opened: 1,
        up: 0,
        down: 0,
        refused: 0,
        why: None,
        secrets: vec![],
        by: smartbox_core::sandbox::Program::new(b"owners-mark"),
        last: world.app.clock.now(),
    };
    store::write(&*world.app.store, move |tx| {
        Box::pin(async move {
            tx.egress_rules().add(kept).await?;
            tx.egress_uses().add(vec![used]).await
        })
    })
    .await
    .unwrap();
}

/// A device that is let in and asks for more.
async fn keep_device(world: &World, owner: &Tenant) {
    let (key, now) = (PublicKey([1; 32]), world.app.clock.now());
    let asking = |requested| Asking {
        id: DeviceId::of(&key),
        key: Some(key),
        kind: device::Kind::Cli,
        account: Some(owner.account.id.clone()),
        smartbox: None,
        person: None,
        name: MARK.into(),
        platform: MARK.into(),
        address: MARK.into(),
        requested,
        user_code: device::code::hash("BCDFGHJK"),
        device_code: "d".into(),
        nonce: "n".into(),
    };
    let none = device::Waiting::default();
    let mut row = Device::asking(None, asking(Right::Read), &none, now).unwrap();
    row.approve(Right::Read, (Right::Own, "test", None), now).unwrap();
    let row = Device::asking(Some(row), asking(Right::Chat), &none, now).unwrap();
    store::write(&*world.app.store, |tx| Box::pin(async move { tx.devices().put(row).await }))
        .await
        .unwrap();
}

/// A job of the owner's, as one that ran would have left it.
pub(crate) async fn keep_job(
    world: &World,
    owner: &Tenant,
    id: &str,
    state: JobState,
    smartbox: Option<SmartboxId>,
) {
    let now = world.app.clock.now();
    let ended = state.is_final().then_some(now);
    let job = Job {
        id: id.parse().unwrap(),
        account: owner.account.id.clone(),
        smartbox,
        kind: "box.restart".into(),
        actor: "test".into(),
        key: None,
        input: json!({ "of": MARK }),
        state,
        asked: None,
        progress: Progress { done: 1, total: Some(1), unit: "boxes".into(), note: MARK.into() },
        checkpoint: Value::Null,
        result: Some(json!({ "of": MARK })),
        failure: None,
        attempts: 1,
        interruptions: 0,
        created: now,
        started: Some(now),
        finished: ended,
        expires: ended.map(|at| at.plus(Duration::from_hours(1))),
    };
    let item = Item {
        n: 0,
        subject: "box_00000000000000000001".into(),
        name: MARK.into(),
        outcome: Outcome::Ok,
        reason: String::new(),
        checkpoint: Value::Null,
        at: now,
    };
    store::write(&*world.app.store, move |tx| {
        Box::pin(async move {
            let id = job.id.clone();
            tx.jobs().add(job).await?;
            tx.jobs().append(id.clone(), now, Happening::State { state }).await?;
            tx.jobs().put_items(id, vec![item]).await
        })
    })
    .await
    .unwrap();
}

/// An open issue of the box.
async fn issue(world: &World, row: Smartbox) {
    let issue = Issue {
        id: "iss_00000000000000000001".parse().unwrap(),
        account: Some(row.account),
        smartbox: Some(row.id),
        kind: About::ProviderKey,
        severity: Severity::High,
        key: "owners-mark".into(),
        message: "owners-mark".into(),
        hint: "owners-mark".into(),
        count: 1,
        first: row.created,
        last: row.created,
        resolved: None,
    };
    store::write(&*world.app.store, |tx| Box::pin(async move { tx.issues().raise(issue).await }))
        .await
        .unwrap();
}

/// The id of what is made so.
async fn made(world: &World, path: &str, bearer: &str, body: Value) -> String {
    let made = world.ask(Method::POST, path).bearer_auth(bearer).json(&body).send().await.unwrap();
    assert_eq!(made.status(), 201, "{path}");
    made.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
}

/// Whether this is an address of that path.
fn fits(template: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let pairs: Vec<_> = template.split('/').zip(path.split('/')).collect();
    template.split('/').count() == path.split('/').count()
        && pairs.iter().all(|(t, p)| t == p || t.starts_with('{'))
}

/// An answer that ends.
async fn text(what: &str, answer: Response) -> String {
    let whole = tokio::time::timeout(Duration::from_secs(60), answer.text());
    whole.await.unwrap_or_else(|_| panic!("{what}: the answer does not end")).unwrap()
}

#[tokio::test]
async fn every_operation_knows_its_owner_from_others() {
    let document = serde_json::to_value(document(&routes())).unwrap();
    let mut missing = Vec::new();
    for (template, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            // A WebSocket: `live.rs` opens each as its owner, as another account and as nobody.
            // What proves a key is asked in `devices.rs`, with one.
            let proves = ["devices_authorize", "devices_token"].contains(&id);
            if proves || operation["responses"]["101"].is_object() {
                continue;
            }
            let Some(example) = example(id) else {
                missing.push(id.to_owned());
                continue;
            };
            assert!(fits(template, example.path), "{id}: {} is not {template}", example.path);
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            one(&document, operation, &method, &example).await;
        }
    }
    assert!(missing.is_empty(), "no example in {} for {}", file!(), missing.join(", "));
}

/// An account with one of everything, and what the words in the examples stand for there.
struct Stage {
    world: World,
    owner: Tenant,
    other: Tenant,
    ids: [(&'static str, String); 4],
}

impl Stage {
    async fn of(operation: &str) -> Self {
        let (world, owner, other, command) = prepare().await;
        let removed = match operation.split_once('_') {
            Some(("snapshots" | "tombstones", _)) => kept(&world, &owner).await,
            _ => String::new(),
        };
        let token = made(&world, "/api/v1/tokens", &owner.token, json!({ "name": MARK })).await;
        let key = json!({ "name": MARK, "right": "read" });
        let key = made(&world, "/api/v1/operator-keys", MASTER, key).await;
        let ids = [(COMMAND, command), (REMOVED, removed), (TOKEN, token), (KEY, key)];
        Self { world, owner, other, ids }
    }

    fn ask(&self, method: &Method, example: &Example) -> RequestBuilder {
        let path = self
            .ids
            .iter()
            .fold(example.path.to_owned(), |path, (word, id)| path.replace(word, id));
        let request = self.world.ask(method.clone(), &path);
        match &example.body {
            None => request,
            Some((kind, bytes)) => request.header("content-type", *kind).body(bytes.clone()),
        }
    }
}

/// What changes nothing where the example finds it: the configuration is that one already, the command is
/// over, the job stands still, the batch only reads, and a code only leads to its device.
const SILENT: &[&str] =
    &["config_roll_back", "devices_find", "execs_remove", "jobs_pause", "files_batch"];

#[tokio::test]
async fn what_an_operator_does_to_an_account_stands_in_its_audit() {
    let document = serde_json::to_value(document(&routes())).unwrap();
    let mut silent = Vec::new();
    for item in document["paths"].as_object().unwrap().values() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let example = example(id).filter(|example| example.by == By::Account);
            let Some(example) = example.filter(|_| method != "get" && !SILENT.contains(&id)) else {
                continue;
            };
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let stage = Stage::of(id).await;
            let acts = async || {
                let account = stage.owner.account.id.clone();
                store::read(&*stage.world.app.store, |tx| {
                    Box::pin(async move { tx.audit().list(account, 0, 10_000).await })
                })
                .await
                .unwrap()
            };
            let before = acts().await.len();
            let asked = stage.ask(&method, &example).bearer_auth(MASTER);
            let answer = asked.header("smartbox-account", "owner").send().await.unwrap();
            let status = answer.status().as_u16();
            let said = text(id, answer).await;
            assert!((200..300).contains(&status), "{id}, by an operator: {status} {said}");
            let told =
                acts().await.into_iter().skip(before).any(|entry| {
                    entry.act.actor == "master-token from 127.0.0.1" && entry.act.done()
                });
            if !told {
                silent.push(id.to_owned());
            }
        }
    }
    assert!(silent.is_empty(), "the owner does not learn of: {}", silent.join(", "));
}

async fn one(document: &Value, operation: &Value, method: &Method, example: &Example) {
    let what = operation["operationId"].as_str().unwrap();
    let stage = Stage::of(what).await;
    let (owner, other) = (&stage.owner, &stage.other);
    let ask = || stage.ask(method, example);
    if example.by != By::Anybody {
        for nobody in [ask(), ask().bearer_auth("sba_wrong")] {
            let answer = nobody.send().await.unwrap();
            assert_eq!(answer.status(), 401, "{what}, by nobody");
        }
        // No browser's session is an operator's.
        let ways = if example.by == By::Operator { 1 } else { 2 };
        assert_eq!(operation["security"].as_array().map(Vec::len), Some(ways), "{what}");
        let answer = ask().bearer_auth(&other.token).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = text(what, answer).await;
        // The name in their own address, whether there is such a smartbox or not.
        let text = text.replace(&format!("there is no smartbox `{MARK}`"), "");
        assert!(!text.contains(MARK) && !text.contains("OWNERS_MARK"), "{what}, to others: {text}");
        let refused = [403, 404].contains(&status);
        match (&example.to_others, example.by) {
            (ToOthers::TheirOwn, By::Account) => {
                assert!(!refused && status < 500, "{what}: {status}");
            }
            _ => assert!(refused, "{what}, by another account: {status} {text}"),
        }
    }
    let token = if example.by == By::Operator { MASTER } else { &owner.token };
    let answer = ask().bearer_auth(token).send().await.unwrap();
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").map(|v| v.to_str().unwrap().to_owned());
    let text = text(what, answer).await;
    assert!((200..300).contains(&status), "{what}, by its owner: {status} {text}");
    let reply = &operation["responses"][status.to_string()];
    assert!(reply.is_object(), "{what}: {status} is not in the document");
    let kind = kind.as_deref().and_then(|kind| kind.split(';').next());
    let Some(content) = reply["content"].as_object() else {
        assert!(text.is_empty(), "{what}: the document knows no body");
        return;
    };
    let said = kind.and_then(|kind| content.get(kind));
    let said = said.unwrap_or_else(|| panic!("{what}: {kind:?} is not in the document"));
    if kind == Some("application/json") {
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(misfit(document, &said["schema"], &value), None, "{what}: {text}");
    }
}
