//! Behind a proxy of ours, and behind what only says that it is one.

use crate::support::{Answer, COOKIE, Front, HOST, World, mirror};

async fn ask(front: &Front, headers: &str) -> Answer {
    front.ask("GET /x", headers).await
}

fn shown(answer: &Answer) -> &str {
    let line = answer.body.lines().find_map(|line| line.strip_prefix("x-forwarded-for: "));
    line.unwrap_or("nothing")
}

const SAYS: &str = "x-forwarded-for: 6.6.6.6, 8.8.8.8\r\nx-forwarded-host: evil\r\n\
                    x-forwarded-proto: https\r\n";

#[tokio::test]
async fn a_forged_address_is_believed_of_our_own_proxies_alone() {
    let world = World::new(Some(mirror().await));
    let front = Front::new(world.clone()).await;
    let answer = ask(&front, SAYS).await;
    assert_eq!((answer.status, shown(&answer)), (200, "192.0.2.1"), "{answer:?}");
    assert!(!answer.body.contains("evil") && !answer.body.contains("6.6.6.6"), "{answer:?}");

    let proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let front = Front::with(world, |settings| settings.proxies = proxies).await;
    let answer = ask(&front, SAYS).await;
    assert_eq!(shown(&answer), "8.8.8.8", "{answer:?}");
    assert!(!answer.body.contains("evil") && !answer.body.contains("6.6.6.6"), "{answer:?}");
}

#[tokio::test]
async fn who_came_to_the_proxy_unencrypted_is_sent_where_it_is_not() {
    let world = World::new(Some(mirror().await));
    let front = Front::with(world, |settings| {
        settings.scheme = smartbox_edge::Scheme::Https;
        settings.port = 443;
        settings.proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    let plain = "x-forwarded-for: 8.8.8.8\r\nx-forwarded-proto: http\r\n";
    let answer = ask(&front, plain).await;
    assert_eq!((answer.status, answer.header("location")), (308, Some("https://pa.localhost/x")));
    let form = format!("content-length: 0\r\norigin: https://{HOST}\r\n{plain}");
    assert_eq!(front.ask("POST /x", &form).await.status, 403);
    let secure = COOKIE.replace("smartbox_session", "__Host-smartbox_session");
    let answer = ask(&front, &(plain.replace("proto: http", "proto: https") + &secure)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
    assert!(answer.body.contains("x-forwarded-proto: https"), "{answer:?}");
}
