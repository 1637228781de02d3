//! Signing in and going to a box, as a browser does it.

use http::Method;
use smartbox_core::route::port::Resolve;
use smartbox_core::secret::Secret;
use smartbox_edge::Admit;

use crate::world::{MASTER, World, cookie};

fn header<'a>(answer: &'a reqwest::Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_link_is_exchanged_for_a_session_and_leaves_no_trace() {
    let world = World::new().await;
    for token in [world.token.as_str(), MASTER] {
        let answer = world.ask(Method::GET, &format!("/?token={token}")).send().await.unwrap();
        assert_eq!(answer.status(), 303);
        assert_eq!(header(&answer, "location"), "/browser?next=%2F");
        assert_eq!(header(&answer, "referrer-policy"), "no-referrer");
        assert_eq!(header(&answer, "cache-control"), "no-store");
        let set = header(&answer, "set-cookie");
        assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Lax"), "{set}");
        assert!(!set.contains(token) && !set.contains("Domain"), "{set}");
        let session = cookie(&answer).unwrap();
        let home = world.ask(Method::GET, "/").header("cookie", session).send().await.unwrap();
        assert_eq!(home.status(), 200);
        assert!(home.text().await.unwrap().contains("action=\"/open/pa\""));
    }
}

#[tokio::test]
async fn a_wrong_token_gets_a_page_with_a_hint_and_no_session() {
    let world = World::new().await;
    for path in ["/?token=wrong", "/?token=", "/?token=%00", "/?token=sbl_00000000"] {
        let answer =
            world.ask(Method::GET, path).header("accept", "text/html").send().await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
        assert!(cookie(&answer).is_none());
        let text = answer.text().await.unwrap();
        assert!(text.contains("smartbox up") && !text.contains("sbl_00000000"), "{text}");
    }
    let form = [("token", "wrong"), ("next", "/boxes")];
    let answer = world.ask(Method::POST, "/login").form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 401);
}

#[tokio::test]
async fn a_new_link_ends_the_old_one_but_not_its_sessions() {
    let world = World::new().await;
    let session = world.sign_in().await;
    world.app.access.link(&world.app.account.id).await.unwrap();
    let answer = world.ask(Method::GET, &format!("/?token={}", world.token)).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let home = world.ask(Method::GET, "/").header("cookie", session).send().await.unwrap();
    assert_eq!(home.status(), 200);
}

#[tokio::test]
async fn signing_in_by_the_form_leads_where_one_was_going_and_nowhere_else() {
    let world = World::new().await;
    let asked = world.ask(Method::GET, "/open/pa").send().await.unwrap();
    assert_eq!(asked.status(), 401);
    assert!(asked.text().await.unwrap().contains("name=\"next\" value=\"/open/pa\""));
    for (next, want) in [("/open/pa", "/open/pa"), ("//evil.example", "/"), ("", "/")] {
        let form = [("token", world.token.as_str()), ("next", next)];
        let request = world.ask(Method::POST, "/login").header("origin", world.origin());
        let answer = request.form(&form).send().await.unwrap();
        let want = format!("/browser?next={}", want.replace('/', "%2F"));
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (303, want.as_str()));
    }
    let form = [("token", world.token.as_str())];
    let request = world.ask(Method::POST, "/login").header("origin", "http://evil.example");
    assert_eq!(request.form(&form).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn whoever_types_the_address_of_the_form_is_led_to_it() {
    let world = World::new().await;
    let typed = world.ask(Method::GET, "/login").send().await.unwrap();
    assert_eq!((typed.status().as_u16(), header(&typed, "location")), (303, "/"));
    let form = world.ask(Method::GET, "/").send().await.unwrap().text().await.unwrap();
    assert!(form.contains("action=\"/login\"") && form.contains("smartbox open pa"), "{form}");
}

/// From the platform's page to the box's origin: the ticket.
async fn ticket(world: &World, session: &str) -> String {
    let request = world.ask(Method::POST, "/open/pa").header("cookie", session);
    let answer = request.header("origin", world.origin()).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(header(&answer, "referrer-policy"), "no-referrer");
    let to = header(&answer, "location").to_owned();
    let start = format!("http://pa.localhost:{}/_smartbox/enter?ticket=", world.port);
    to.strip_prefix(&start).unwrap_or_else(|| panic!("{to}")).to_owned()
}

#[tokio::test]
async fn a_ticket_lets_one_browser_in_once() {
    let world = World::new().await;
    let session = world.sign_in().await;
    // Looking at the page that leads there makes no ticket.
    let page = world.ask(Method::GET, "/open/pa").header("cookie", &session).send().await.unwrap();
    let text = page.text().await.unwrap();
    assert!(text.contains("<form method=\"post\" action=\"/open/pa\"") && !text.contains("sbt_"));

    let ticket = ticket(&world, &session).await;
    let enter = format!("/_smartbox/enter?ticket={ticket}");
    // A link preview fetches it, and burns nothing.
    for _ in 0..2 {
        let preview = world.to_box(Method::GET, "pa", &enter).send().await.unwrap();
        assert_eq!(preview.status(), 200);
        assert!(cookie(&preview).is_none());
    }
    let burn = || {
        let request = world.to_box(Method::POST, "pa", "/_smartbox/enter");
        let own = format!("http://pa.localhost:{}", world.port);
        request.header("origin", own).form(&[("ticket", ticket.as_str())]).send()
    };
    let first = burn().await.unwrap();
    assert_eq!(first.status(), 303);
    let inside = cookie(&first).unwrap();
    assert_ne!(burn().await.unwrap().status(), 303, "a ticket is burnt once");
    // A box's session is none on the platform's origin, nor on another box's.
    let value = inside.split_once('=').unwrap().1;
    let ours = format!("{}={value}", world.app.site.cookie());
    let answer = world.ask(Method::GET, "/api/v1/boxes").header("cookie", ours).send().await;
    assert_eq!(answer.unwrap().status(), 401);
}

#[tokio::test]
async fn a_ticket_to_one_box_opens_no_other_and_is_no_bearer() {
    let world = World::new().await;
    let new = serde_json::json!({ "name": "two" });
    let made = world.as_owner(Method::POST, "/api/v1/boxes").json(&new).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let session = world.sign_in().await;
    let ticket = ticket(&world, &session).await;
    let two = world.app.control.route("two").await.unwrap().unwrap();
    let pa = world.app.control.route("pa").await.unwrap().unwrap();
    let access = &world.app.access;
    assert!(access.enter(&two, Secret::new(ticket.clone())).await.unwrap().is_none());
    assert!(access.bearer(&ticket).await.unwrap().is_none());
    assert!(access.enter(&pa, Secret::new(world.token.clone())).await.unwrap().is_none());
    let value = access.enter(&pa, Secret::new(ticket)).await.unwrap().expect("it leads to pa");
    assert!(access.who(&pa, value.expose()).await.unwrap().is_some());
    assert!(access.who(&two, value.expose()).await.unwrap().is_none());
    access.leave(&two, value.expose()).await.unwrap();
    assert!(access.who(&pa, value.expose()).await.unwrap().is_some(), "not two's to end");
    access.leave(&pa, value.expose()).await.unwrap();
    assert!(access.who(&pa, value.expose()).await.unwrap().is_none());
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let world = World::new().await;
    let session = world.sign_in().await;
    let ask = |method, path| world.ask(method, path).header("cookie", &session);
    assert_eq!(ask(Method::GET, "/boxes").send().await.unwrap().status(), 200);
    let out = ask(Method::POST, "/logout").header("origin", world.origin()).send().await.unwrap();
    assert_eq!(out.status(), 303);
    assert_eq!(ask(Method::GET, "/boxes").send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn our_pages_load_nothing_from_elsewhere_and_cannot_be_framed() {
    let world = World::new().await;
    let session = world.sign_in().await;
    for path in ["/", "/boxes", "/boxes/pa/egress", "/open/pa", "/nowhere"] {
        let request = world.ask(Method::GET, path).header("accept", "text/html");
        let answer = request.header("cookie", &session).send().await.unwrap();
        let policy = header(&answer, "content-security-policy").to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(policy.contains(&format!("form-action 'self' http://*.localhost:{}", world.port)));
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        assert!(!header(&answer, "smartbox-request-id").is_empty());
        let text = answer.text().await.unwrap();
        for needle in ["src=\"http", "href=\"http", "src=\"//", "href=\"//", "style=", "onclick"] {
            assert!(!text.contains(needle), "{path} has {needle}");
        }
    }
    for path in ["/assets/page.css", "/assets/browser.js", "/favicon.svg"] {
        assert_eq!(world.ask(Method::GET, path).send().await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn in_dev_mode_every_page_says_so() {
    let world = World::dev().await;
    let pressed = world.ask(Method::POST, "/login/dev").header("origin", world.origin());
    let session = cookie(&pressed.form(&[("next", "/")]).send().await.unwrap()).unwrap();
    let words = "nobody needs a token";
    for path in [
        "/",
        "/boxes",
        "/_admin/",
        "/device",
        "/open/pa",
        "/api/docs",
        "/boxes/pa/egress",
        "/boxes/pa/snapshots",
        "/nowhere",
    ] {
        for session in [session.as_str(), ""] {
            let request = world.ask(Method::GET, path).header("accept", "text/html");
            let text = request.header("cookie", session).send().await.unwrap().text().await;
            assert_eq!(text.unwrap().matches(words).count(), 1, "{path} {session}");
        }
    }
    let answer = World::new().await.ask(Method::GET, "/").send().await.unwrap();
    assert!(!answer.text().await.unwrap().contains(words));
}

#[tokio::test]
async fn nobody_signs_in_unencrypted_at_an_address_of_a_network() {
    let world = World::new().await;
    let link = format!("/?token={}", world.token);
    let form = [("token", world.token.as_str())];
    for host in ["10.0.0.5:7777", "[2001:db8::1]", "192.168.1.20"] {
        let answers = [
            world.ask(Method::GET, &link).header("host", host).send().await.unwrap(),
            world
                .ask(Method::POST, "/login")
                .header("host", host)
                .form(&form)
                .send()
                .await
                .unwrap(),
        ];
        for answer in answers {
            assert_eq!(answer.status(), 403, "{host}");
            assert!(!answer.headers().contains_key("set-cookie"), "{host}");
        }
    }
    let answer = world.ask(Method::GET, &link).header("host", "localhost:1").send().await.unwrap();
    assert_eq!(answer.status(), 303);
}
