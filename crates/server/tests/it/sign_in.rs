//! Coming in by somebody else's word, with real issuers: whoever they vouch for is what the rules say, and
//! nobody is anybody by less than that.

use std::time::Duration;

use http::Method;
use reqwest::Url;
use serde_json::{Value, json};
use smartbox_core::person::{Gives, Identity, Right, Role, Rule, Whom};
use smartbox_core::store;
use smartbox_core::time::{Clock as _, Timestamp};
use smartbox_server::access::Arrival;
use smartbox_server::config::devices::Browsers;
use smartbox_server::config::{Config, Env, Overrides};
use smartbox_server::sign_in::{Provider, SignIn};
use smartbox_server::system::{SystemClock, SystemEntropy};
use smartbox_sign_in::{Access, AccessSettings, Http, Oidc, OidcSettings};

use crate::real::{Browser, Peer, sign_in};
use crate::world::{Manner, World};

const TEAM: &str = "https://myteam.cloudflareaccess.com";
const AUD: &str = "32eafc7626e737616deaf0dc3ce63d7bcbed58a2731d0d06bc3cdf1b53c4228";

fn http() -> Http {
    smartbox_ai_gateway::install_crypto();
    let tls = smartbox_ai_gateway::client_config().unwrap();
    Http::new(tls, Duration::from_secs(60)).unwrap()
}

pub(crate) fn rule(whom: Whom, role: Role) -> Rule {
    Rule { whom, issuer: None, gives: Gives::Role("me".into(), role) }
}

/// Whoever is in the group `crew` is that.
pub fn crew(role: Role) -> Vec<Rule> {
    vec![rule(Whom::Group("crew".into()), role)]
}

/// A provider that sends browsers back to this port.
async fn provider(port: u16) -> Peer {
    let given = json!({
        "clients": [{
            "client_id": "smartbox", "token_endpoint_auth_method": "none",
            "redirect_uris": [format!("http://127.0.0.1:{port}/login/oidc/callback")],
            "post_logout_redirect_uris": [format!("http://127.0.0.1:{port}/")],
            "grant_types": ["authorization_code"], "response_types": ["code"],
        }],
        "inToken": false,
        "claims": {
            "email": "ada@example.com", "email_verified": true, "name": "Ada <b>", "groups": ["crew"],
        },
    });
    Peer::start("provider.mjs", &[given.to_string()]).await
}

pub(crate) fn by_provider(issuer: &str, rules: Vec<Rule>) -> SignIn {
    let settings = OidcSettings {
        issuer: issuer.to_owned(),
        client_id: "smartbox".into(),
        client_secret: None,
        auth: None,
        scopes: ["email", "profile", "groups"].map(str::to_owned).to_vec(),
        groups_claim: "groups".into(),
    };
    let (clock, entropy) = (std::sync::Arc::new(SystemClock), std::sync::Arc::new(SystemEntropy));
    let oidc = Oidc::new(settings, http(), clock, entropy).unwrap();
    let provider = Some(Provider { name: "Example ID".into(), oidc });
    SignIn { provider, rules, ..SignIn::none(&SystemEntropy) }
}

/// A platform with its provider, whose rules are these.
async fn world(rules: Vec<Rule>) -> (World, Peer) {
    let mut peer = None;
    let world = World::vouched(async |port| {
        let provider = provider(port).await;
        let sign_in = by_provider(&provider.url, rules);
        peer = Some(provider);
        sign_in
    })
    .await;
    (world, peer.unwrap())
}

fn url(world: &World, path: &str) -> Url {
    format!("{}{path}", world.origin()).parse().unwrap()
}

fn cookies(browser: &Browser) -> String {
    browser.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("; ")
}

async fn ask(world: &World, browser: &Browser, method: Method, path: &str) -> (u16, String) {
    let request = world.ask(method, path).header("origin", world.origin());
    let request = request.header("accept", "text/html").header("cookie", cookies(browser));
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test]
async fn somebody_comes_by_the_button_and_their_role_decides() {
    let (world, _peer) = world(crew(Role::Viewer)).await;
    let page = world.ask(Method::GET, "/").send().await.unwrap().text().await.unwrap();
    assert!(
        page.contains("/login/oidc?next=/\"") && page.contains("Sign in with Example ID"),
        "{page}"
    );

    let mut browser = Browser::new();
    let name = format!("smartbox_platform_{}", world.port);
    // Planted, so that whoever planted it would be signed in too.
    browser.cookies.insert(name.clone(), "sbs_planted".into());
    let there = url(&world, "/login/oidc?next=/boxes");
    let back = sign_in(&mut browser, there, url(&world, "/browser").as_str()).await;
    assert_eq!((back.path(), back.query()), ("/browser", Some("next=%2Fboxes")));
    let session = browser.cookies[&name].clone();
    assert!(session.starts_with("sbs_") && session != "sbs_planted", "{session}");
    assert!(!browser.cookies.contains_key(&format!("smartbox_oidc_{}", world.port)));

    let (status, page) = ask(&world, &browser, Method::GET, "/boxes").await;
    assert!(status == 200 && page.contains("pa"), "{page}");
    let (status, _) = ask(&world, &browser, Method::GET, "/api/v1/boxes/pa").await;
    assert_eq!(status, 200, "a viewer looks");
    let (status, said) = ask(&world, &browser, Method::POST, "/api/v1/boxes/pa/stop").await;
    assert_eq!(status, 403, "and changes nothing: {said}");
    let (status, _) = ask(&world, &browser, Method::GET, "/api/v1/accounts").await;
    assert_eq!(status, 403, "nor runs the platform");

    let begun = audited(&world, "session.begin").await;
    let [(actor, by)] = &begun[..] else { panic!("{begun:?}") };
    assert!(actor.starts_with("person:") && actor.ends_with(" from 127.0.0.1"), "{actor}");
    assert_eq!(by, "oidc");
    // Out: here at once, and there by a link.
    let (status, page) = ask(&world, &browser, Method::POST, "/logout").await;
    assert!(
        status == 200 && page.contains("session/end") && page.contains("id_token_hint"),
        "{page}"
    );
    assert_eq!(ask(&world, &browser, Method::GET, "/boxes").await.0, 401);
}

#[tokio::test]
async fn an_address_to_come_back_by_is_good_in_one_browser_and_once() {
    let (world, _peer) = world(crew(Role::Owner)).await;
    let mut browser = Browser::new();
    let callback = url(&world, "/login/oidc/callback");
    let back = sign_in(&mut browser, url(&world, "/login/oidc"), callback.as_str()).await;
    let path = format!("{}?{}", back.path(), back.query().unwrap());
    let (status, page) = ask(&world, &Browser::new(), Method::GET, &path).await;
    assert!(status == 401 && page.contains("not begun here"), "another's browser: {page}");
    let other = format!("{path}x");
    assert_eq!(ask(&world, &browser, Method::GET, &other).await.0, 401, "another state");
    assert_eq!(ask(&world, &browser, Method::GET, "/login/oidc/callback").await.0, 401);
    assert_eq!(ask(&world, &browser, Method::GET, &path).await.0, 303);
    let (status, page) = ask(&world, &browser, Method::GET, &path).await;
    assert!(status == 401 && page.contains("invalid_grant"), "again: {page}");
}

#[tokio::test]
async fn whoever_is_given_nothing_is_told_who_they_are_and_leaves_no_trace() {
    let (world, _peer) = world(vec![rule(Whom::Group("other".into()), Role::Owner)]).await;
    let mut browser = Browser::new();
    let callback = url(&world, "/login/oidc/callback");
    let back = sign_in(&mut browser, url(&world, "/login/oidc"), callback.as_str()).await;
    let path = format!("{}?{}", back.path(), back.query().unwrap());
    let (status, page) = ask(&world, &browser, Method::GET, &path).await;
    assert_eq!(status, 403);
    assert!(
        page.contains("You are ada@example.com") && page.contains("nobody gave you access"),
        "{page}"
    );
    let people =
        store::read(&*world.app.store, |tx| Box::pin(async move { tx.people().list().await }));
    assert!(people.await.unwrap().is_empty());
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_and_a_token_signs_in_meanwhile() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let world = World::vouched(async |_| by_provider(&issuer, crew(Role::Owner))).await;
    let (status, page) = ask(&world, &Browser::new(), Method::GET, "/login/oidc").await;
    assert!(status == 503 && page.contains("a token signs in meanwhile"), "{page}");
    assert!(!world.sign_in().await.is_empty());
}

#[tokio::test]
async fn the_provider_is_left_for_under_one_address() {
    let world =
        World::vouched(async |_| by_provider("http://127.0.0.1:1", crew(Role::Owner))).await;
    let host = format!("localhost:{}", world.port);
    let answer =
        world.ask(Method::GET, "/login/oidc?next=/boxes").header("host", host).send().await;
    let to = answer.unwrap().headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(to, format!("{}/login/oidc?next=/boxes", world.origin()));
    let read =
        world.ask(Method::GET, "/login/oidc").header("host", "10.0.0.5").send().await.unwrap();
    assert_eq!(read.status(), 403, "nobody begins what others could read");
}

/// Ada, as her provider says it.
pub fn ada(groups: &[&str]) -> Identity {
    Identity {
        issuer: "https://id.example".into(),
        subject: "1".into(),
        email: Some("ada@example.com".into()),
        email_verified: true,
        name: Some("Ada".into()),
        groups: groups.iter().map(ToString::to_string).collect(),
        service: false,
        expires: Timestamp(i64::MAX),
    }
}

#[tokio::test]
async fn what_the_rules_gave_they_take_away() {
    let world = World::new().await;
    let (access, first) = (&world.app.access, &world.app.account.id);
    let rules = crew(Role::Owner);
    let Arrival::In(caller) = access.arrive(&ada(&["crew"]), &rules, first).await.unwrap() else {
        panic!("she is let in");
    };
    let session = access.begin(&caller, crate::world::newcomer(), true).await.unwrap();
    let may = async || access.seat(session.expose(), None).await.unwrap().unwrap().right;
    assert!(may().await.is_some());
    // She left the group, and comes again, elsewhere.
    let arrival = access.arrive(&ada(&[]), &rules, first).await.unwrap();
    assert!(matches!(arrival, Arrival::Stranger), "{arrival:?}");
    assert_eq!(may().await, None, "and what she began before may nothing either");
    let person = caller.person.clone().unwrap();
    let mut row = store::read(&*world.app.store, move |tx| {
        Box::pin(async move { Ok(tx.people().get(person).await?.unwrap()) })
    })
    .await
    .unwrap();
    row.disabled = true;
    store::write(&*world.app.store, |tx| Box::pin(async move { tx.people().put(row).await }))
        .await
        .unwrap();
    let arrival = access.arrive(&ada(&["crew"]), &rules, first).await.unwrap();
    assert!(matches!(arrival, Arrival::ShutOut), "{arrival:?}");
}

/// What the installation's own audit has of an action: by whom, and what.
async fn audited(world: &World, action: &str) -> Vec<(String, String)> {
    let id = world.app.account.id.clone();
    let acts = store::read(&*world.app.store, |tx| {
        Box::pin(async move { tx.audit().list(id, 0, 1000).await })
    });
    let acts = acts.await.unwrap().into_iter().map(|entry| entry.act);
    let acts = acts.filter(|act| act.action == action);
    acts.map(|act| (act.actor, act.detail)).collect()
}

#[tokio::test]
async fn who_runs_the_installation_by_a_rule_stands_in_its_audit() {
    let world = World::new().await;
    let (access, first) = (&world.app.access, &world.app.account.id);
    let whom = Whom::Group("crew".into());
    let rules = [Rule { whom, issuer: None, gives: Gives::Operator(Right::Own) }];
    let Arrival::In(caller) = access.arrive(&ada(&["crew"]), &rules, first).await.unwrap() else {
        panic!("she is let in");
    };
    let id = caller.person.clone().unwrap();
    let by_rules = |detail: String| ("sign-in-rules".to_owned(), detail);
    let made = [by_rules(format!("{id} operator=own"))];
    assert_eq!(audited(&world, "person.create").await, made);
    // Coming again is no news.
    access.arrive(&ada(&["crew"]), &rules, first).await.unwrap();
    assert_eq!(audited(&world, "person.create").await, made);
    assert_eq!(audited(&world, "person.change").await, []);
    access.arrive(&ada(&[]), &rules, first).await.unwrap();
    assert_eq!(audited(&world, "person.change").await, [by_rules(format!("{id} operator=none"))]);
}

#[tokio::test]
async fn somebody_who_comes_twice_at_once_is_one_person() {
    let world = World::new().await;
    let arrivals: Vec<_> = (0..8)
        .map(|_| {
            let (app, rules) = (world.app.clone(), crew(Role::Member));
            tokio::spawn(async move {
                match app.access.arrive(&ada(&["crew"]), &rules, &app.account.id).await.unwrap() {
                    Arrival::In(caller) => caller.person.unwrap(),
                    other => panic!("{other:?}"),
                }
            })
        })
        .collect();
    let mut people = Vec::new();
    for arrival in arrivals {
        people.push(arrival.await.unwrap());
    }
    people.dedup();
    assert_eq!(people.len(), 1);
}

/// A platform behind Access, whose keys a real server publishes.
async fn behind_access(rules: Vec<Rule>) -> (World, Peer) {
    behind_access_with(Manner::default(), rules).await
}

/// The same, set up in this manner.
pub(crate) async fn behind_access_with(manner: Manner, rules: Vec<Rule>) -> (World, Peer) {
    let peer = Peer::start("access.mjs", &[]).await;
    let base = Some(peer.url.parse().unwrap());
    let settings = AccessSettings { team_domain: "myteam".into(), aud: AUD.into(), base };
    let access = Access::new(&settings, http(), std::sync::Arc::new(SystemClock)).unwrap();
    let sign_in = SignIn { access: Some(access), rules, ..SignIn::none(&SystemEntropy) };
    (World::vouched_with(manner, async |_| sign_in).await, peer)
}

pub(crate) async fn token(peer: &mut Peer, changes: Value) -> String {
    let now = SystemClock.now().0 / 1000;
    let mut claims = json!({
        "iss": TEAM, "aud": [AUD], "type": "app", "sub": "7335", "email": "ada@example.com",
        "iat": now, "nbf": now, "exp": now + 3600,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    peer.ask(&claims.to_string()).await
}

pub(crate) const HEADER: &str = "cf-access-jwt-assertion";

#[tokio::test]
async fn access_vouches_by_header_and_by_cookie() {
    let (world, mut peer) =
        behind_access(vec![rule(Whom::Domain("example.com".into()), Role::Member)]).await;
    let good = token(&mut peer, json!({})).await;
    let with = async |name: &str, value: &str, method: Method, path: &str| {
        let request = world.ask(method, path).header(name, value).header("accept", "text/html");
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let cookie = format!("a=b; CF_Authorization={good}");
    for (name, value) in [(HEADER, good.as_str()), ("cookie", &cookie)] {
        let (status, page) = with(name, value, Method::GET, "/boxes").await;
        assert!(status == 200 && page.contains("pa"), "{name}: {page}");
        assert_eq!(with(name, value, Method::GET, "/api/v1/boxes").await.0, 200);
        // A browser brings both along whoever makes it ask.
        assert_eq!(with(name, value, Method::POST, "/api/v1/boxes/pa/stop").await.0, 403);
        assert_eq!(with(name, value, Method::GET, "/api/v1/accounts").await.0, 403);
    }
    for (changes, word) in [
        (json!({"aud": "other"}), "aud"),
        (json!({"exp": 1}), "expired"),
        (json!({"type": "org"}), "type"),
    ] {
        let bad = token(&mut peer, changes).await;
        let (status, page) = with(HEADER, &bad, Method::GET, "/boxes").await;
        assert!(
            status == 401 && page.contains("Cloudflare Access: ") && page.contains(word),
            "{page}"
        );
        assert_eq!(with(HEADER, &bad, Method::GET, "/api/v1/boxes").await.0, 401);
    }
    // A wrong header is not made good by a cookie.
    let request = world.ask(Method::GET, "/api/v1/boxes").header(HEADER, "x.y.z");
    assert_eq!(request.header("cookie", &cookie).send().await.unwrap().status(), 401);
    let twice = world.ask(Method::GET, "/api/v1/boxes").header(HEADER, &good).header(HEADER, &good);
    assert_eq!(twice.send().await.unwrap().status(), 401);
    // On a box's host it says nothing.
    let to_box =
        world.to_box(Method::GET, "pa", "/").header(HEADER, &good).header("cookie", &cookie);
    assert_ne!(to_box.send().await.unwrap().status(), 200);
    // Who comes from outside of the domain is told who they are.
    let eve = token(&mut peer, json!({"sub": "9", "email": "eve@evil.example"})).await;
    let (status, page) = with(HEADER, &eve, Method::GET, "/").await;
    assert!(status == 403 && page.contains("You are eve@evil.example"), "{page}");
    assert_eq!(
        with(HEADER, &eve, Method::GET, "/assets/page.css").await.0,
        200,
        "and the page has its looks"
    );
}

#[tokio::test]
async fn a_program_with_a_service_token_is_no_browser() {
    let rules = vec![rule(Whom::Service("robot.access".into()), Role::Member)];
    let (world, mut peer) = behind_access(rules).await;
    let robot = token(&mut peer, json!({"sub": "", "common_name": "robot.access"})).await;
    let ask = |path: &str| world.ask(Method::POST, path).header(HEADER, &robot);
    assert_eq!(ask("/api/v1/boxes/pa/stop").send().await.unwrap().status(), 200);
    let foreign = ask("/api/v1/boxes/pa/stop").header("origin", "http://evil.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    let who = world.ask(Method::GET, "/api/v1/whoami").header(HEADER, &robot);
    let who: Value = who.send().await.unwrap().json().await.unwrap();
    assert_eq!(who["by"], json!("access"), "{who}");
    let other = token(&mut peer, json!({"sub": "", "common_name": "other.access"})).await;
    let answer =
        world.ask(Method::GET, "/api/v1/boxes").header(HEADER, &other).send().await.unwrap();
    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn what_somebody_opens_ends_with_the_word_for_them() {
    let (world, mut peer) =
        behind_access(vec![rule(Whom::Email("ada@example.com".into()), Role::Owner)]).await;
    let until = SystemClock.now().0 / 1000 + 900;
    let good = token(&mut peer, json!({"exp": until})).await;
    let open = world.ask(Method::POST, "/open/pa").header(HEADER, &good);
    let answer = open.header("origin", world.origin()).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let to: Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
    let ticket = to.query_pairs().find(|(name, _)| name == "ticket").unwrap().1.into_owned();
    let form = format!("ticket={ticket}");
    let enter = world.to_box(Method::POST, "pa", "/_smartbox/enter").body(form);
    let enter = enter.header("content-type", "application/x-www-form-urlencoded");
    let enter = enter.header("origin", format!("http://pa.localhost:{}", world.port));
    let entered = enter.send().await.unwrap();
    let cookie = crate::world::cookie(&entered).unwrap_or_else(|| panic!("{entered:?}"));
    let value = cookie.split_once('=').unwrap().1;
    let pa = world.pa().await;
    let seat = world.app.access.seat(value, Some(&pa.id)).await.unwrap().unwrap();
    assert_eq!(seat.session.expires, Timestamp(until * 1000));

    // Out: what was opened is over, and a link leads to where the word is given.
    let out = world.ask(Method::POST, "/logout").header(HEADER, &good);
    let answer = out.header("origin", world.origin()).send().await.unwrap();
    let page = answer.text().await.unwrap();
    assert!(page.contains("myteam.cloudflareaccess.com/cdn-cgi/access/logout"), "{page}");
    assert!(world.app.access.seat(value, Some(&pa.id)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_setting_of_access_that_is_missing_is_named_where_people_look() {
    let env = Env::of([("CF_ACCESS_TEAM_DOMAIN", "myteam")]);
    let config =
        Config::from_text("/data".as_ref(), "", &env, &Overrides::default()).unwrap().sign_in;
    let (clock, entropy) = (std::sync::Arc::new(SystemClock), std::sync::Arc::new(SystemEntropy));
    let sign_in = SignIn::open(&config, &(clock as _), &(entropy as _)).unwrap();
    let world = World::vouched(async |_| sign_in).await;
    let told = "CF_ACCESS_TEAM_DOMAIN is set, and CF_ACCESS_AUD";
    let (status, page) = ask(&world, &Browser::new(), Method::GET, "/_admin/").await;
    assert!(status == 401 && page.contains(told), "{page}");
    let signed = world.sign_in().await;
    let answer = world.ask(Method::GET, "/_admin/").header("cookie", signed).send().await.unwrap();
    let page = answer.text().await.unwrap();
    assert!(page.contains(told) && page.contains("Cloudflare Access: off"), "{page}");
    let (_, page) = ask(&world, &Browser::new(), Method::GET, "/boxes").await;
    assert!(!page.contains(told), "it is nobody else's to know");
    // Nor does a token sign in that nobody can check.
    let answer =
        world.ask(Method::GET, "/api/v1/boxes").header(HEADER, "a.b.c").send().await.unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn a_rule_for_an_account_that_is_not_there_is_named() {
    let gives = Gives::Role("nowhere".into(), Role::Owner);
    let rule = Rule { whom: Whom::Group("crew".into()), issuer: None, gives };
    let world =
        World::vouched(async |_| SignIn { rules: vec![rule], ..SignIn::none(&SystemEntropy) })
            .await;
    let signed = world.sign_in().await;
    let answer = world.ask(Method::GET, "/_admin/").header("cookie", signed).send().await.unwrap();
    let page = answer.text().await.unwrap();
    assert!(page.contains("account <code>nowhere</code>"), "{page}");
}

#[tokio::test]
async fn who_comes_by_access_stands_in_the_audit_once_for_each_token() {
    let rules = vec![
        rule(Whom::Email("ada@example.com".into()), Role::Member),
        rule(Whom::Service("robot.access".into()), Role::Member),
    ];
    let (world, mut peer) = behind_access(rules).await;
    let now = SystemClock.now().0 / 1000;
    let here = token(&mut peer, json!({})).await;
    let there = token(&mut peer, json!({"exp": now + 1800})).await;
    let robots = [
        token(&mut peer, json!({"sub": "", "common_name": "robot.access"})).await,
        token(&mut peer, json!({"sub": "", "common_name": "robot.access", "exp": now + 99})).await,
    ];
    let comes = async |token: &str| {
        let asked = world.ask(Method::GET, "/api/v1/boxes").header(HEADER, token);
        asked.send().await.unwrap().status().as_u16()
    };
    let many = futures_util::future::join_all((0..8).map(|_| comes(&here))).await;
    assert_eq!(many, [200; 8]);
    let begun = audited(&world, "session.begin").await;
    let [(actor, by)] = &begun[..] else { panic!("{begun:?}") };
    assert!(actor.starts_with("person:") && actor.ends_with(" from 127.0.0.1"), "{actor}");
    assert_eq!(by, "access");
    // Another browser of hers, and a program that has another token each time.
    for token in [&there, &here, &there, &robots[0], &robots[1], &robots[0]] {
        assert_eq!(comes(token).await, 200);
    }
    assert_eq!(audited(&world, "session.begin").await.len(), 3);
    // Whom Access knows and nobody gave anything.
    let eve = token(&mut peer, json!({"sub": "9", "email": "eve@evil.example"})).await;
    assert_eq!(comes(&eve).await, 403);
    let refused = audited(&world, "session.begin.refused").await;
    assert_eq!(refused, [("nobody from 127.0.0.1".to_owned(), String::new())]);
}

#[tokio::test]
async fn where_each_browser_is_let_in_access_alone_lets_in_programs() {
    let rules = vec![
        rule(Whom::Email("ada@example.com".into()), Role::Owner),
        rule(Whom::Service("robot.access".into()), Role::Member),
    ];
    let manner = Manner { browsers: Browsers::Ask, ..Manner::default() };
    let (world, mut peer) = behind_access_with(manner, rules).await;
    let ada = token(&mut peer, json!({})).await;
    let robot = token(&mut peer, json!({"sub": "", "common_name": "robot.access"})).await;
    for path in ["/", "/boxes", "/_admin/", "/open/pa"] {
        let asked = world.ask(Method::GET, path).header("accept", "text/html");
        let answer = asked.header(HEADER, &ada).send().await.unwrap();
        let (status, page) = (answer.status(), answer.text().await.unwrap());
        assert!(status == 401 && page.contains("each browser has to be let in"), "{path}: {page}");
        assert!(page.contains("ada@example.com") && page.contains("action=\"/login\""), "{page}");
    }
    let cookie = format!("CF_Authorization={ada}");
    for (name, value) in [(HEADER, &ada), ("cookie", &cookie)] {
        for (method, path) in [
            (Method::GET, "/api/v1/boxes"),
            (Method::POST, "/api/v1/boxes/pa/stop"),
            (Method::POST, "/api/v1/tokens"),
            (Method::POST, "/open/pa"),
        ] {
            let asked = world.ask(method, path).header("origin", world.origin());
            let answer = asked.header(name, value).send().await.unwrap();
            assert_eq!(answer.status(), 401, "{path}");
        }
    }
    let asked = world.ask(Method::GET, "/api/v1/boxes").header(HEADER, &robot);
    assert_eq!(asked.send().await.unwrap().status(), 200, "a program has no browser");
    // What Access says does not stand in the way of another sign-in.
    let signed = world.sign_in().await;
    let asked = world.ask(Method::GET, "/boxes").header(HEADER, &ada).header("cookie", signed);
    assert_eq!(asked.send().await.unwrap().status(), 200);
}
