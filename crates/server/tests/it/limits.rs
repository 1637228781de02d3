//! Limits, and attacks on the sign-in: who guesses is slowed, and nobody else is.

use std::time::Duration;

use reqwest::Method;
use smartbox_core::limit::{Class, Patience, Rate, Rates};

use crate::world::{MASTER, Manner, World};

const PATIENCE: Patience = Patience {
    free: 5,
    first: Duration::from_secs(600),
    most: Duration::from_secs(900),
    forget: Duration::from_secs(3600),
};

pub(crate) async fn world(rates: Rates) -> World {
    // A proxy on this machine, so that a test can come from anywhere.
    let proxies = vec!["127.0.0.0/8".parse().unwrap()];
    World::with(Manner { rates: Some(rates), proxies, ..Manner::default() }).await
}

fn usual() -> Rates {
    Rates::NONE.patient(PATIENCE).with(Class::Knock, Rate::parse("1/h", 2000).ok())
}

/// Guesses by every way in until one is not compared any more.
async fn guess(world: &World, from: &str, n: usize) -> u16 {
    let guess = format!("password{n}");
    let asked = match n % 5 {
        4 => world.ask(Method::GET, "/").bearer_auth(guess),
        0 => world.ask(Method::GET, "/api/v1/boxes").bearer_auth(guess),
        1 => world.ask(Method::GET, &format!("/?token={guess}")),
        2 => world.ask(Method::POST, "/login").form(&[("token", guess)]),
        _ => world.ask(Method::GET, "/api/super/users").header("x-admin-secret", guess),
    };
    let answer = asked.header("x-forwarded-for", from).send().await.unwrap();
    if answer.status() == 429 {
        let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!(wait > 0 && wait <= 900, "{wait}");
        assert!(answer.text().await.unwrap().contains("too-many-requests"));
        return 429;
    }
    answer.status().as_u16()
}

#[tokio::test]
async fn a_brute_force_of_the_token_is_slowed_and_hurts_no_good_client_of_that_address() {
    // "ClawJacked": whoever is on the same machine guesses the token as fast as he can, since
    // limits did not hold for 127.0.0.1.
    let world = world(usual()).await;
    let session = world.sign_in().await;
    assert_eq!(world.as_owner(Method::GET, "/api/v1/boxes").send().await.unwrap().status(), 200);
    let mut compared = 0;
    for n in 0..500 {
        compared += usize::from(guess(&world, "127.0.0.1", n).await != 429);
    }
    assert!(compared <= 6, "{compared} guesses were compared");
    // The master token's own bearer, from there: not compared either, or guessing it would work.
    let master = world.ask(Method::GET, "/api/v1/boxes").bearer_auth(MASTER);
    assert_eq!(master.send().await.unwrap().status(), 429);
    // From elsewhere it is: nothing is locked.
    let master = world.ask(Method::GET, "/api/v1/boxes").bearer_auth(MASTER);
    let master = master.header("x-forwarded-for", "8.8.8.8").send().await.unwrap();
    assert_eq!(master.status(), 200);
    // The good client of the same address: its session, its token, and a new sign-in.
    let asked = world.ask(Method::GET, "/boxes").header("cookie", &session);
    assert_eq!(asked.send().await.unwrap().status(), 200);
    assert_eq!(world.as_owner(Method::GET, "/api/v1/boxes").send().await.unwrap().status(), 200);
    let link = format!("/?token={}", world.token);
    assert_eq!(world.ask(Method::GET, &link).send().await.unwrap().status(), 303);
}

/// A script with a token that was revoked, somebody who clicks an old link, a page of a box with tickets
/// that were used: none of them is a guess.
#[tokio::test]
async fn what_was_good_once_keeps_nobody_out_of_that_address() {
    let world = world(usual()).await;
    let from = |asked: reqwest::RequestBuilder| asked.header("x-forwarded-for", "1.2.3.4");
    let origin = format!("http://pa.localhost:{}", world.port);
    let enter = async |ticket: &str| {
        let form = [("ticket", ticket)];
        let asked = world.to_box(Method::POST, "pa", "/_smartbox/enter").form(&form);
        from(asked.header("origin", &origin)).send().await.unwrap().status().as_u16()
    };
    for n in 0..10 {
        let old = format!("sba_{n:032}");
        let bearer = world.ask(Method::GET, "/api/v1/boxes").bearer_auth(&old);
        assert_eq!(from(bearer).send().await.unwrap().status(), 401);
        let link = world.ask(Method::GET, &format!("/?token={old}"));
        assert_eq!(from(link).send().await.unwrap().status(), 401);
        let form = world.ask(Method::POST, "/login").form(&[("token", &old)]);
        assert_eq!(from(form).send().await.unwrap().status(), 401);
        let admin = world.ask(Method::GET, "/api/super/users").header("x-admin-secret", &old);
        assert_eq!(from(admin).send().await.unwrap().status(), 403);
        assert_eq!(enter(&format!("sbt_{n:032}")).await, 403);
        assert_eq!(enter("x").await, 403);
    }
    let master = world.ask(Method::GET, "/api/v1/boxes").bearer_auth(MASTER);
    assert_eq!(from(master).send().await.unwrap().status(), 200);
    // Nor do those who do guess keep anybody out of a box.
    for n in 0..50 {
        guess(&world, "1.2.3.4", n).await;
    }
    let open = from(world.as_owner(Method::POST, "/api/v1/boxes/pa/link")).send().await.unwrap();
    let link: serde_json::Value = open.json().await.unwrap();
    let ticket = link["url"].as_str().unwrap().split("ticket=").nth(1).unwrap().to_owned();
    assert_eq!(enter(&ticket).await, 303);
}

#[tokio::test]
async fn tokens_that_look_like_ours_cost_a_look_up_each_and_are_counted() {
    let rates = usual().with(Class::Knock, Rate::parse("1/h", 100).ok());
    let world = world(rates).await;
    let mut refused = 0;
    for n in 0..300 {
        let token = format!("sba_{n:032}");
        let asked = world.ask(Method::GET, "/api/v1/boxes").bearer_auth(token);
        let answer = asked.header("x-forwarded-for", "1.2.3.4").send().await.unwrap();
        refused += usize::from(answer.status() == 429);
    }
    assert_eq!(refused, 200);
}

#[tokio::test]
async fn a_good_token_hides_no_guess_of_another() {
    let world = world(usual()).await;
    let mut compared = 0;
    for n in 0..50 {
        let asked = world.as_owner(Method::GET, "/api/super/users");
        let asked = asked.header("x-admin-secret", format!("guess{n}"));
        compared += usize::from(asked.send().await.unwrap().status() != 429);
    }
    assert!(compared <= 6, "{compared} guesses were compared");
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_up_its_visitors_patience() {
    let world = world(usual()).await;
    for n in 0..200 {
        for (mode, dest) in [("no-cors", "empty"), ("no-cors", "image"), ("navigate", "iframe")] {
            let asked = world
                .ask(Method::GET, &format!("/?token=guess{n}"))
                .header("sec-fetch-site", "cross-site")
                .header("sec-fetch-mode", mode)
                .header("sec-fetch-dest", dest);
            assert_eq!(asked.send().await.unwrap().status(), 403);
        }
    }
    // A window that it sends from guess to guess costs what a page costs, and compares nothing.
    let mut asked = world.ask(Method::GET, &format!("/?token={}", world.token));
    for (name, value) in [("site", "cross-site"), ("mode", "navigate"), ("dest", "document")] {
        asked = asked.header(format!("sec-fetch-{name}"), value);
    }
    let answer = asked.try_clone().unwrap().send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers().get("set-cookie")), (403, None));
    // A link in somebody's mail is clicked.
    let answer = asked.header("sec-fetch-user", "?1").send().await.unwrap();
    assert_eq!(answer.status(), 303);
}

#[tokio::test]
async fn a_botnet_is_slowed_and_the_right_token_comes_in() {
    let rates = Rates::NONE.patient(PATIENCE).with(Class::Guess, Rate::parse("1/h", 30).ok());
    let world = world(rates).await;
    let mut compared = 0;
    for n in 0..600 {
        // A hundred machines, each with patience.
        let from = format!("203.0.113.{}", n % 100);
        compared += usize::from(guess(&world, &from, n).await != 429);
    }
    assert!(compared <= 130, "{compared} guesses were compared: one for each, and those before");
    let master = world.ask(Method::GET, "/api/v1/boxes").bearer_auth(MASTER);
    let master = master.header("x-forwarded-for", "8.8.8.8").send().await.unwrap();
    assert_eq!(master.status(), 200, "it was never locked");
}

#[tokio::test]
async fn who_is_signed_in_has_a_limit_of_his_own_for_each_kind_of_call() {
    let rate = |burst| Rate::parse("1/h", burst).ok();
    let rates = Rates::NONE
        .with(Class::Read, rate(20))
        .with(Class::Change, rate(3))
        .with(Class::Run, rate(2));
    let world = world(rates).await;
    let status = async |method: Method, path: &str| {
        let asked = world.as_owner(method.clone(), path);
        let asked = if method == Method::POST { asked.json(&serde_json::json!({})) } else { asked };
        asked.send().await.unwrap().status().as_u16()
    };
    for (method, path, burst) in [
        (Method::GET, "/api/v1/boxes", 20),
        (Method::POST, "/api/v1/boxes", 3),
        (Method::POST, "/api/v1/boxes/pa/messages", 2),
    ] {
        for n in 0..burst + 5 {
            let limited = status(method.clone(), path).await == 429;
            assert_eq!(limited, n >= burst, "{method} {path}, the {n}th");
        }
    }
    // Nor has he another one for each address that he comes from.
    for from in ["203.0.113.7", "2001:db8::1", "2001:db8::2"] {
        let asked = world.as_owner(Method::GET, "/api/v1/boxes").header("x-forwarded-for", from);
        assert_eq!(asked.send().await.unwrap().status(), 429, "{from}");
    }
    // Another token of the same account, and the local command line, are others.
    let other = world.sign_in().await;
    let asked = world.ask(Method::GET, "/boxes").header("cookie", other).send().await.unwrap();
    assert_eq!(asked.status(), 200);
}
