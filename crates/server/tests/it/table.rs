//! The whole table: every route, asked as everybody. What comes of it is said a second time here, by a few
//! lines that know nothing of the guard, and must be the same.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};
use smartbox_core::person::{Right, Role};
use smartbox_core::smartbox::{Kind, Smartbox};
use smartbox_server::http::route::{Policy, Route};
use smartbox_server::http::routes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::every::example;
use crate::rights::Guest;
use crate::tenancy::Tenant;
use crate::world::{MASTER, World};

/// By which means somebody asks.
#[derive(Clone)]
enum By {
    Nothing,
    Bearer(String),
    Cookie(String),
    Secret(String),
    Socket,
}

/// Who asks, and what they have: with the account, with its box `site`, with the installation.
struct Asker {
    name: String,
    by: By,
    known: bool,
    account: Option<Right>,
    site: Option<Right>,
    operates: Option<Right>,
    /// Their names mean Ann's account.
    at_home: bool,
    /// The most that what they carry lets them, which is all that is known of a person beforehand.
    first: Right,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// 401.
    SignIn,
    /// 403.
    Forbidden,
    /// 404, as if there were nothing.
    Missing,
    /// Either: less than it needs, of something that may not be there.
    Refused,
    /// Neither of them, but for a 404 of what is not there.
    Through,
}

/// What a path is about.
#[derive(PartialEq, Eq)]
enum About {
    /// One smartbox, which the path names.
    Site,
    /// An account, which the path names.
    Account,
    /// How an account is called, which everybody may know of their own.
    Named,
    /// Whatever is there for whoever asks.
    Whatever,
    /// One thing that is not there.
    Nothing,
}

fn about(route: &Route) -> About {
    let path = route.path.as_str();
    let whole = |path: &str| {
        ["/api/v1/", "/api/admin/"].iter().any(|root| path.starts_with(root)) && !path.contains('{')
    };
    match path {
        _ if path.starts_with("/api/v1/boxes/{name}") => About::Site,
        "/api/v1/accounts/{account}/members" | "/api/v1/accounts/{account}/members/{person}" => {
            About::Account
        }
        "/api/v1/accounts/{account}" => About::Named,
        // Each says what is there for whoever asks.
        "/api/v1/boxes" if route.method == Method::GET => About::Whatever,
        "/api/v1/whoami" | "/api/v1/kinds" | "/api/v1/tiers" | "/api/v1/status" => About::Whatever,
        // All means all of theirs.
        "/api/v1/bulk/config" | "/api/v1/bulk/restart" => About::Whatever,
        "/boxes" | "/logout" | "/browser" => About::Whatever,
        "/_admin" | "/_admin/" | "/device" => About::Account,
        "/api/v1/egress/presets" | "/api/v1/secrets/services" => About::Whatever,
        "/api/v1/tokens" if route.method == Method::GET => About::Whatever,
        path if whole(path) => About::Account,
        _ => About::Nothing,
    }
}

/// What must come of it.
fn oracle(route: &Route, who: &Asker) -> Outcome {
    use Outcome::{Forbidden, Missing, Refused, SignIn, Through};
    let secret = matches!(who.by, By::Secret(_));
    let operates = |needs| match who.operates {
        _ if !who.known => SignIn,
        Some(right) if right >= needs => Through,
        _ => Forbidden,
    };
    let needs = match route.policy {
        Policy::Public => return Through,
        Policy::Admin => {
            let needs = if route.method == Method::GET { Right::Read } else { Right::Own };
            return if secret { operates(needs) } else { Forbidden };
        }
        Policy::Operator(needs) => {
            return if secret || !who.known { SignIn } else { operates(needs) };
        }
        // A device itself needs less, and none of these is one.
        Policy::Api(_) if route.path == "/api/v1/devices/{id}/revoke" => Right::Manage,
        Policy::Api(needs) | Policy::Session(needs) => needs,
        Policy::Browser => Right::Read,
    };
    if !who.known || secret {
        return SignIn;
    }
    if let Some(right) = who.operates {
        return if right >= needs { Through } else { Forbidden };
    }
    // What they carry is not enough, whatever it were for.
    if who.first < needs {
        return Forbidden;
    }
    match (about(route), who.site, who.account) {
        (About::Site, None, _) => Missing,
        (About::Site, Some(right), _) if right < needs => Forbidden,
        (About::Named, ..) if !who.at_home => Missing,
        (About::Account, _, _) if !who.at_home && route.path.contains("{account}") => Missing,
        (About::Account, _, right) if right < Some(needs) => Refused,
        (About::Nothing, ..) => Refused,
        _ => Through,
    }
}

/// What came of it.
fn fits(want: Outcome, status: u16) -> bool {
    match want {
        Outcome::SignIn => status == 401,
        Outcome::Forbidden => status == 403,
        Outcome::Missing => status == 404,
        // A body that is not understood is told of first, where there is one.
        Outcome::Refused => status != 401 && (status >= 400 || status == 303),
        Outcome::Through => status != 401 && status != 403,
    }
}

/// An address of the route, of Ann's box where it names one.
fn address(route: &Route, site: &Smartbox) -> String {
    let site = if route.path.starts_with("/api/v1/boxes/") { site.id.as_str() } else { "nobody" };
    let path = route.path.replace("{name}", site).replace("{account}", "ann");
    let path = path.replace("{person}", "per_00000000000000000000");
    let mut out = String::new();
    for segment in path.split('/').skip(1) {
        out.push('/');
        out.push_str(if segment.starts_with('{') { "nothing" } else { segment });
    }
    out
}

/// What such a route is asked, so that it is not refused for what it is asked.
fn asking(route: &Route) -> (String, Option<(&'static str, Vec<u8>)>) {
    let id = route.described().and_then(|it| it.operation.operation_id);
    let example = id.and_then(|id| example(&id));
    let query = example.as_ref().and_then(|example| example.path.split_once('?'));
    let query = query.map_or_else(String::new, |(_, query)| format!("?{query}"));
    // Names in a query are of what another test has made.
    let query = if query.contains("box=") { String::new() } else { query };
    (query, example.and_then(|example| example.body))
}

async fn ask(world: &World, route: &Route, path: &str, (by, refused): (&By, bool)) -> u16 {
    if matches!(by, By::Socket) {
        return locally(world, route, path).await;
    }
    // Whoever is let through changes as little as can be.
    let (query, body) = if refused { asking(route) } else { Default::default() };
    let asked = world.ask(route.method.clone(), &format!("{path}{query}"));
    let asked = match body {
        Some((kind, body)) => asked.header("content-type", kind).body(body),
        None => asked,
    };
    let asked = match by {
        By::Bearer(value) => asked.bearer_auth(value),
        By::Cookie(value) => asked.header("cookie", value).header("origin", world.origin()),
        By::Secret(value) => asked.header("x-admin-secret", value),
        By::Nothing | By::Socket => asked,
    };
    let asked = if route.socket { asked.header("origin", world.origin()) } else { asked };
    asked.send().await.unwrap().status().as_u16()
}

async fn locally(world: &World, route: &Route, path: &str) -> u16 {
    let mut stream = world.connect().await;
    let method = &route.method;
    let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut line = [0; 12];
    stream.read_exact(&mut line).await.unwrap();
    let line = std::str::from_utf8(&line).unwrap();
    line.strip_prefix("HTTP/1.1 ").unwrap().parse().unwrap()
}

async fn value(world: &World, path: &str, bearer: &str, body: Value) -> String {
    let made = world.ask(Method::POST, path).bearer_auth(bearer).json(&body).send().await.unwrap();
    made.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned()
}

/// Everybody.
async fn askers(world: &World, ann: &Tenant, bob: &Tenant, site: &Smartbox) -> Vec<Asker> {
    let all = |name: &str, by| Asker {
        name: name.to_owned(),
        by,
        known: true,
        account: None,
        site: None,
        operates: None,
        at_home: true,
        first: Right::Own,
    };
    let nobody = |name, by| Asker { known: false, ..all(name, by) };
    let mut askers = vec![
        nobody("nobody", By::Nothing),
        nobody("a wrong token", By::Bearer("sba_wrong".into())),
        nobody("a wrong cookie", By::Cookie(format!("{}=sbs_wrong", world.app.site.cookie()))),
        Asker { operates: Some(Right::Own), ..all("the local command line", By::Socket) },
        Asker { operates: Some(Right::Own), ..all("the master token", By::Bearer(MASTER.into())) },
        Asker { operates: Some(Right::Own), ..all("the admin secret", By::Secret(MASTER.into())) },
        // Of another account: what is Ann's is not there.
        Asker {
            account: Some(Right::Own),
            at_home: false,
            ..all("another account's owner", By::Bearer(bob.token.clone()))
        },
    ];
    for role in Role::ALL {
        let guest = Guest::new(world, ann, Some(role), None).await;
        let (account, site) = (Some(role.right()), Some(role.right()));
        let by = By::Cookie(guest.cookie);
        askers.push(Asker { account, site, ..all(&format!("a {}", role.as_str()), by) });
    }
    for right in [Right::Read, Right::Chat, Right::Manage] {
        let word = right.as_str();
        let guest = Guest::new(world, bob, None, Some((site, right))).await;
        let name = format!("a guest who may {word}");
        let by = By::Cookie(guest.cookie);
        askers.push(Asker { site: Some(right), at_home: false, ..all(&name, by) });
        let key = value(world, "/api/v1/operator-keys", MASTER, json!({ "right": right })).await;
        for by in [By::Bearer(key.clone()), By::Secret(key)] {
            askers.push(Asker { operates: Some(right), ..all(&format!("a key to {word}"), by) });
        }
    }
    for right in Right::ALL {
        let word = right.as_str();
        let (account, site_too) = (Some(right), Some(right));
        let token = Tenant::token(world, &ann.account, right, None).await;
        let free = all(&format!("a token to {word}"), By::Bearer(token));
        askers.push(Asker { account, site: site_too, first: right, ..free });
        let token = Tenant::token(world, &ann.account, right, Some(site.id.clone())).await;
        let bound = all(&format!("a token of the box to {word}"), By::Bearer(token));
        askers.push(Asker { site: site_too, first: right, ..bound });
        let token =
            Tenant::token(world, &ann.account, right, Some(bob_box(world, ann).await)).await;
        let other = all(&format!("a token of another box to {word}"), By::Bearer(token));
        askers.push(Asker { first: right, ..other });
    }
    askers
}

/// Another box of Ann's, made once.
async fn bob_box(world: &World, ann: &Tenant) -> smartbox_core::id::SmartboxId {
    match world.app.control.find(&ann.account.id, "other").await {
        Ok(row) => row.id,
        Err(_) => ann.smartbox(world, "other", Kind::PROJECT).await.id,
    }
}

#[tokio::test]
async fn every_route_does_for_everybody_what_the_table_says() {
    let world = World::new().await;
    let (ann, bob) = (Tenant::new(&world, "ann").await, Tenant::new(&world, "bob").await);
    let site = ann.smartbox(&world, "site", Kind::PROJECT).await;
    let askers = askers(&world, &ann, &bob, &site).await;
    let routes = routes();
    let mut wrong = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    // Refusals first: they change nothing, and there is everything still.
    for through in [false, true] {
        for route in &routes {
            let path = address(route, &site);
            for who in &askers {
                let want = oracle(route, who);
                // Whoever is let in to all of it would end what the others ask with, or the platform's own.
                let ends = match route.path.as_str() {
                    "/api/v1/tokens" | "/logout" | "/api/v1/vault/rotate" => true,
                    path => path.ends_with("/{account}") || path == "/api/v1/boxes/{name}",
                };
                let ends = ends && route.method != Method::GET;
                let open = path == "/" || path == "/login";
                if (want == Outcome::Through) != through || (through && ends) || open {
                    continue;
                }
                let status = ask(&world, route, &path, (&who.by, !through)).await;
                *seen.entry(format!("{want:?}")).or_default() += 1;
                if !fits(want, status) {
                    wrong
                        .push(format!("{} {path}, {}: {want:?}, {status}", route.method, who.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {seen:?}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(seen.len() == 5 && seen.values().all(|n| *n > 20), "{seen:?}");
}

/// A problem without what is of one request alone.
async fn bare(world: &World, method: &Method, path: &str, bearer: &str) -> (u16, String) {
    let asked = world.ask(method.clone(), path).bearer_auth(bearer);
    let answer = asked.header("content-type", "application/json").body("{}").send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    let Ok(mut said) = serde_json::from_str::<Value>(&text) else { return (status, text) };
    said.as_object_mut().map(|said| said.remove("request_id"));
    (status, said.to_string())
}

#[tokio::test]
async fn what_is_not_yours_and_what_is_not_there_look_the_same() {
    let world = World::new().await;
    let (ann, bob) = (Tenant::new(&world, "ann").await, Tenant::new(&world, "bob").await);
    let site = ann.smartbox(&world, "site", Kind::PROJECT).await;
    let nobody = "box_00000000000000000000";
    let mut asked = 0;
    for route in routes() {
        let path = route.path.as_str();
        let boxes = path.starts_with("/api/v1/boxes/{name}");
        if !(boxes || path.starts_with("/api/v1/accounts/{account}")) || route.socket {
            continue;
        }
        let fill = |name: &str, account: &str| {
            let path = route.path.replace("{name}", name).replace("{account}", account);
            path.replace("{person}", "x@example.com").replace('{', "").replace(['}', '*'], "")
        };
        let theirs = fill(site.id.as_str(), "ann");
        let none = fill(nobody, "anna");
        let (status, text) = bare(&world, &route.method, &theirs, &bob.token).await;
        let (none_status, none_text) = bare(&world, &route.method, &none, &bob.token).await;
        let same = text.replace(site.id.as_str(), nobody).replace("/ann", "/anna");
        assert_eq!((status, same), (none_status, none_text), "{} {path}", route.method);
        asked += 1;
    }
    assert!(asked > 40, "{asked}");
}
