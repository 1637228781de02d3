//! The audit as it leaves the platform: whole, signed, and of no use to whoever changes it. And what it
//! says of those who were refused.

use http::Method;
use serde_json::{Value, json};
use smartbox_core::audit::Entry;
use smartbox_core::id::AccountId;
use smartbox_core::person::Role;
use smartbox_core::route::port::Resolve;
use smartbox_core::secret::Secret;
use smartbox_core::smartbox::Kind;
use smartbox_core::store;
use smartbox_edge::Admit;
use smartbox_server::audit::{Unsound, Verified, verify};

use crate::rights::Guest;
use crate::tenancy::Tenant;
use crate::world::{World, cookie};

async fn export(world: &World, bearer: &str, query: &str) -> Vec<String> {
    let path = format!("/api/v1/audit{query}");
    let answer = world.ask(Method::GET, &path).bearer_auth(bearer).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap().lines().map(str::to_owned).collect()
}

fn check(lines: &[String], key: Option<&str>) -> Result<Verified, Unsound> {
    verify(lines.join("\n").as_bytes(), key)
}

/// An account in which a few things were done.
async fn busy(world: &World) -> Tenant {
    let ann = Tenant::new(world, "ann").await;
    ann.smartbox(world, "site", Kind::PROJECT).await;
    for name in ["A", "B", "C", "D"] {
        let set = world.ask(Method::PUT, &format!("/api/v1/secrets/{name}"));
        let set = set.bearer_auth(&ann.token).json(&json!({ "value": "v" }));
        assert_eq!(set.send().await.unwrap().status(), 204);
    }
    ann
}

fn bad(result: &Result<Verified, Unsound>) -> Option<u64> {
    match result {
        Err(Unsound::Bad { seq }) => Some(*seq),
        _ => None,
    }
}

#[tokio::test]
async fn an_export_is_believed_only_as_it_was_written() {
    let world = World::new().await;
    let ann = busy(&world).await;
    let lines = export(&world, &ann.token, "").await;
    let good = check(&lines, None).unwrap();
    let key = good.head.key.clone();
    assert_eq!(good.entries as usize, lines.len() - 2);
    assert_eq!(check(&lines, Some(&key)).unwrap(), good);
    let last = good.entries;
    // Part of it, with the hash before it.
    let part = export(&world, &ann.token, "?after=2").await;
    assert_eq!(check(&part, Some(&key)).unwrap().entries, last - 2);
    let some = export(&world, &ann.token, "?last=1").await;
    assert_eq!(check(&some, Some(&key)).unwrap().entries, 1);
    assert_eq!(check(&export(&world, &ann.token, "?after=999").await, None).unwrap().entries, 0);
    // One word is another.
    for (name, value) in [
        ("detail", json!("nothing")),
        ("actor", json!("platform")),
        ("from", json!("192.0.2.1")),
        ("action", json!("secret.look")),
        ("at", json!(1)),
        ("box", json!("box_00000000000000000000")),
        ("result", json!("refused")),
        ("seq", json!(9)),
    ] {
        let mut entry: Value = serde_json::from_str(&lines[3]).unwrap();
        entry[name] = value;
        let mut changed = lines.clone();
        changed[3] = entry.to_string();
        assert_eq!(bad(&check(&changed, None)), Some(3), "{name}");
    }
    // One is gone, two have changed places, one stands there twice.
    let mut gone = lines.clone();
    gone.remove(3);
    assert_eq!(bad(&check(&gone, None)), Some(3));
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    assert_eq!(bad(&check(&swapped, None)), Some(2));
    let mut twice = lines.clone();
    twice.insert(3, lines[2].clone());
    assert_eq!(bad(&check(&twice, None)), Some(3));
    // The end is gone, or the last entries are.
    assert!(matches!(check(&lines[..lines.len() - 1], None), Err(Unsound::Form { .. })));
    let mut short = lines.clone();
    short.remove(lines.len() - 2);
    assert_eq!(bad(&check(&short, None)), Some(last));
    // And the end is made to fit.
    let mut entry: Value = serde_json::from_str(&short[short.len() - 2]).unwrap();
    let mut head: Value = serde_json::from_str(&lines[lines.len() - 1]).unwrap();
    (head["seq"], head["hash"]) = (entry["seq"].take(), entry["hash"].take());
    let end = short.len() - 1;
    short[end] = head.to_string();
    assert!(bad(&check(&short, None)).is_some(), "nobody signed that");
    // Nor is it another account's, or something else besides.
    let whose = lines[0].replace(ann.account.id.as_str(), world.app.account.id.as_str());
    let mut whose_lines = lines.clone();
    whose_lines[0] = whose;
    assert_eq!(bad(&check(&whose_lines, None)), Some(1));
    let mut more = lines.clone();
    more.push(lines[1].clone());
    assert!(matches!(check(&more, None), Err(Unsound::Form { .. })));
    for text in ["", "{}", "nonsense", "{\"line\":\"head\"}"] {
        assert!(matches!(verify(text.as_bytes(), None), Err(Unsound::Form { .. })), "{text}");
    }
}

#[tokio::test]
async fn another_platforms_signature_is_told_by_the_key() {
    let (world, forger) = (World::new().await, World::new().await);
    let ann = busy(&world).await;
    let genuine = export(&world, &ann.token, "").await;
    let key = check(&genuine, None).unwrap().head.key;
    let forged = busy(&forger).await;
    let forged = export(&forger, &forged.token, "").await;
    assert!(check(&forged, None).is_ok(), "sound in itself");
    assert!(matches!(check(&forged, Some(&key)), Err(Unsound::Key { .. })));
    // Another one's end under these entries.
    let mut mixed = genuine.clone();
    *mixed.last_mut().unwrap() = forged.last().unwrap().clone();
    assert!(bad(&check(&mixed, None)).is_some());
}

#[tokio::test]
async fn an_audit_is_its_owners() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let member = Guest::new(&world, &ann, Some(Role::Member), None).await;
    let asked = world.ask(Method::GET, "/api/v1/audit").header("cookie", &member.cookie);
    assert_eq!(asked.send().await.unwrap().status(), 403);
}

async fn acts(world: &World, account: &AccountId) -> Vec<Entry> {
    let id = account.clone();
    store::read(&*world.app.store, |tx| Box::pin(async move { tx.audit().list(id, 0, 1000).await }))
        .await
        .unwrap()
}

/// How many refusals of this name there are by this actor, in how many entries.
fn refusals(entries: &[Entry], actor: &str, action: &str) -> (u64, usize) {
    let found = entries.iter().filter(|e| e.act.actor == actor && e.act.action == action);
    let count = |entry: &Entry| match entry.act.detail.strip_suffix(" more within a minute") {
        Some(more) => more.parse().unwrap(),
        None => 1,
    };
    (found.clone().map(count).sum(), found.count())
}

#[tokio::test]
async fn sign_ins_that_fail_are_counted_and_not_written_one_by_one() {
    let world = World::new().await;
    for n in 0..10 {
        let wrong = format!("sba_wrong{n}");
        world.ask(Method::GET, "/api/v1/boxes").bearer_auth(&wrong).send().await.unwrap();
        let secret = world.ask(Method::GET, "/api/super/state/dashboard");
        secret.header("x-admin-secret", &wrong).send().await.unwrap();
        world.ask(Method::GET, &format!("/?token={wrong}")).send().await.unwrap();
        world.ask(Method::GET, "/").bearer_auth(&wrong).send().await.unwrap();
    }
    // Whoever brings nothing tries nothing.
    world.ask(Method::GET, "/api/v1/boxes").send().await.unwrap();
    let later = world.app.clock.now().plus(std::time::Duration::from_mins(1));
    world.app.denials.settle(&world.app, later).await.unwrap();
    let entries = acts(&world, &world.app.account.id).await;
    let (count, rows) = refusals(&entries, "nobody from 127.0.0.1", "session.begin.refused");
    assert_eq!(count, 40);
    // The minute may have ended on the way.
    assert!(rows <= 4, "{rows}");
    let all: String = entries.iter().map(|e| e.act.detail.clone()).collect();
    assert!(!all.contains("wrong"), "no value that somebody tried: {all}");
}

#[tokio::test]
async fn whoever_knocks_from_a_whole_network_fills_no_disk() {
    let world = crate::limits::world(smartbox_core::limit::Rates::NONE).await;
    let ann = Tenant::new(&world, "ann").await;
    for n in 0..60 {
        let from = format!("2001:db8::{n:x}");
        let wrong = world.ask(Method::GET, "/api/v1/boxes").bearer_auth("sba_wrong");
        wrong.header("x-forwarded-for", &from).send().await.unwrap();
        // Nor does a token that goes round with its bearer.
        let refused = world.ask(Method::GET, "/api/v1/people").bearer_auth(&ann.token);
        assert_eq!(refused.header("x-forwarded-for", &from).send().await.unwrap().status(), 403);
    }
    world.app.denials.close(&world.app, world.app.clock.now()).await.unwrap();
    for (account, action) in
        [(&world.app.account.id, "session.begin.refused"), (&ann.account.id, "authority.refused")]
    {
        let entries = acts(&world, account).await;
        let rows: Vec<_> = entries.iter().filter(|e| e.act.action == action).collect();
        // The minute may have ended on the way.
        assert!((2..=4).contains(&rows.len()), "{rows:?}");
        let from = smartbox_core::audit::who(&rows[0].act.actor).1;
        assert_eq!(from, Some("2001:db8::"), "the first one's");
    }
}

#[tokio::test]
async fn authority_that_is_not_there_stands_in_the_audit_of_the_account() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    ann.smartbox(&world, "site", Kind::PROJECT).await;
    let viewer = Guest::new(&world, &ann, Some(Role::Viewer), None).await;
    for _ in 0..5 {
        let stop =
            world.ask(Method::POST, "/api/v1/boxes/site/stop").header("cookie", &viewer.cookie);
        assert_eq!(stop.header("origin", world.origin()).send().await.unwrap().status(), 403);
    }
    // What only an operator may, too.
    let asked = world.ask(Method::GET, "/api/v1/people").bearer_auth(&ann.token);
    assert_eq!(asked.send().await.unwrap().status(), 403);
    // The platform ends before the minute does.
    world.app.denials.close(&world.app, world.app.clock.now()).await.unwrap();
    let entries = acts(&world, &ann.account.id).await;
    let who = format!("person:{} from 127.0.0.1", viewer.id);
    let (count, rows) = refusals(&entries, &who, "authority.refused");
    assert!(count == 5 && rows <= 4, "{count} {rows}");
    let first = entries.iter().find(|e| e.act.actor == who).unwrap();
    assert_eq!(first.act.detail, "POST /api/v1/boxes/{name}/stop");
    assert!(entries.iter().any(|e| e.act.detail == "GET /api/v1/people"), "{entries:?}");
}

/// Who is in, and how, stands in the audit with the session or not at all.
#[tokio::test]
async fn whoever_comes_and_goes_stands_in_the_audit() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let site = ann.smartbox(&world, "site", Kind::PROJECT).await;
    let sign_in = async |had: &str| {
        let form = [("token", ann.token.as_str())];
        let asked = world.ask(Method::POST, "/login").header("origin", world.origin()).form(&form);
        let answer = asked.header("cookie", had).send().await.unwrap();
        cookie(&answer).unwrap()
    };
    let told = async || {
        let acts = acts(&world, &ann.account.id).await.into_iter().map(|entry| entry.act);
        let told = acts.filter(|act| act.action != "box.create" && act.action != "token.create");
        told.map(|act| (act.action, act.actor)).collect::<Vec<_>>()
    };
    let status = async |cookie: &str| {
        let asked = world.ask(Method::GET, "/api/v1/boxes").header("cookie", cookie);
        asked.send().await.unwrap().status().as_u16()
    };
    let first = sign_in("").await;
    assert_eq!(status(&first).await, 200);
    // Signing in again ends what this browser had: nobody has its cookie but who has stolen it.
    let second = sign_in(&first).await;
    assert_eq!((status(&first).await, status(&second).await), (401, 200));
    let ask = |path: &str| {
        let asked = world.ask(Method::POST, path).header("cookie", &second);
        asked.header("origin", world.origin()).send()
    };
    let link: Value = ask("/api/v1/boxes/site/link").await.unwrap().json().await.unwrap();
    let ticket = link["url"].as_str().unwrap().split("ticket=").nth(1).unwrap().to_owned();
    let so_far: Vec<_> = told().await.into_iter().map(|(action, _)| action).collect();
    assert_eq!(so_far, ["session.begin", "session.begin", "session.end", "box.link"]);
    let route = world.app.control.route(&site.label).await.unwrap().expect("there is the box");
    let entered = world.app.access.enter(&route, Secret::new(ticket)).await.unwrap();
    assert!(entered.is_some(), "the ticket is good");
    assert!(ask("/logout").await.unwrap().status().is_redirection());
    let told = told().await;
    let [begun, .., link, entered, end] = &told[..] else { panic!("{told:?}") };
    assert!(begun.1.starts_with("token:") && begun.1.ends_with(" from 127.0.0.1"), "{begun:?}");
    assert_eq!((link.0.as_str(), entered.0.as_str()), ("box.link", "box.enter"));
    assert!(entered.1.starts_with("session:"), "{entered:?}");
    assert_eq!(end.0, "session.end");
    assert!(end.1.starts_with("session:") && end.1.ends_with(" from 127.0.0.1"), "{end:?}");
}
