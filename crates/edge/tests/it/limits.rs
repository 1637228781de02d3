//! Floods of requests: strangers by where they come from, pages at the door, visitors that are signed
//! in.

use std::time::Duration;

use smartbox_core::limit::{Class, Patience, Rate, Rates};

use crate::support::{Answer, Front, HOST, TICKET, World, mirror};

const PATIENCE: Patience = Patience {
    free: 3,
    first: Duration::from_secs(600),
    most: Duration::from_secs(600),
    forget: Duration::from_secs(3600),
};

async fn front(rates: Rates) -> Front {
    let world = World::new(Some(mirror().await));
    Front::limited(world, rates, |settings| {
        settings.proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await
}

async fn stranger(front: &Front, from: &str) -> Answer {
    let head = format!("host: {HOST}\r\nconnection: close\r\nx-forwarded-for: {from}\r\n");
    front.raw(format!("GET /x HTTP/1.1\r\n{head}cookie: smartbox_session=bad\r\n\r\n")).await
}

#[tokio::test]
async fn strangers_are_slowed_by_where_they_come_from_and_who_is_known_is_not() {
    let front = front(Rates::NONE.with(Class::Knock, Rate::parse("1/h", 5).ok())).await;
    for _ in 0..5 {
        assert_eq!(stranger(&front, "2001:db8::1").await.status, 401);
    }
    // Another address of the same network is the same visitor.
    for from in ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::9"] {
        let answer = stranger(&front, from).await;
        assert_eq!(answer.status, 429, "{from}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.header("retry-after"), Some("3600"));
    }
    assert_eq!(stranger(&front, "2001:db8:0:1::1").await.status, 401);
    // From the very same address, with a session.
    let known = front.ask("GET /x", "x-forwarded-for: 2001:db8::1\r\n").await;
    assert_eq!(known.status, 200);
    assert_eq!(World::count(&front.world.dials), 1);
}

/// What a page of the box can do in its visitor's browser: the origin is right, and the address is that of
/// a whole office.
#[tokio::test]
async fn what_a_page_posts_at_the_door_keeps_nobody_out_who_shares_its_visitors_address() {
    let rates = Rates::NONE.patient(PATIENCE).with(Class::Guess, Rate::parse("1/h", 3).ok());
    let front = front(rates.with(Class::Knock, Rate::parse("1/h", 50).ok())).await;
    let enter = async |ticket: &str, from: &str| {
        let body = format!("ticket={ticket}");
        let head = format!("host: {HOST}\r\nconnection: close\r\norigin: http://{HOST}\r\n");
        let length = body.len();
        let text = format!(
            "POST /_smartbox/enter HTTP/1.1\r\n{head}x-forwarded-for: {from}\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        front.raw(text).await.status
    };
    for n in 0..20 {
        assert_eq!(enter("x", "1.2.3.4").await, 403, "no ticket at all");
        assert_eq!(enter(&format!("sbt_{n:032}x"), "1.2.3.4").await, 403, "nor one");
    }
    for n in 100..109 {
        assert_eq!(enter(&format!("sbt_{n:032}"), "1.2.3.4").await, 403, "one that was used");
    }
    assert_eq!(enter(TICKET, "1.2.3.4").await, 303, "the right one");
    assert_eq!(enter(TICKET, "1.2.3.4").await, 429, "each costs what a stranger's request costs");
    assert_eq!(enter(TICKET, "8.8.8.8").await, 403, "and is good once");
}

#[tokio::test]
async fn one_visitor_has_so_many_requests_on_however_many_connections() {
    let front = front(Rates::NONE.with(Class::Visit, Rate::parse("1/h", 10).ok())).await;
    let mut passed = 0;
    for _ in 0..30 {
        passed += usize::from(front.ask("GET /x", "").await.status == 200);
    }
    assert_eq!(passed, 10);
}
