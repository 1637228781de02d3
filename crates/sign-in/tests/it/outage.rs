//! Key sets that rotate, vanish, lie, drip and lead elsewhere.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::Header;
use serde_json::{Value, json};
use smartbox_sign_in::Refused;

use crate::issuer::{Hands, Issuer, Manner, NEW, OLD, access, claims, http};

const HOUR: Duration = Duration::from_secs(3600);
const LONG: Duration = Duration::from_secs(60);

fn keys() -> Manner {
    Manner::Keys(vec![OLD.public.clone()])
}

/// A token that is good for days, so that only the keys decide.
fn lasting() -> Value {
    claims(&json!({"exp": 2_000_000_000}))
}

/// Signed by nobody, under a key that is not there.
fn stranger(id: u32) -> String {
    let head =
        Header { kid: Some(format!("k{id}")), ..Header::new(jsonwebtoken::Algorithm::RS256) };
    let good = OLD.sign(&lasting());
    let (_, rest) = good.split_once('.').unwrap();
    use base64::Engine as _;
    let head = serde_json::to_string(&head).unwrap();
    format!("{}.{rest}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(head))
}

#[tokio::test]
async fn many_who_come_at_once_are_one_question() {
    let issuer = Issuer::start(keys()).await;
    let access = Arc::new(issuer.access(Hands::new()));
    let token = OLD.sign(&lasting());
    let all: Vec<_> = (0..50)
        .map(|_| {
            let (access, token) = (access.clone(), token.clone());
            tokio::spawn(async move { access.verify(&token).await.is_ok() })
        })
        .collect();
    for one in all {
        assert!(one.await.unwrap());
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn a_storm_of_unknown_keys_is_one_question_in_half_a_minute() {
    let issuer = Issuer::start(keys()).await;
    let hands = Hands::new();
    let access = Arc::new(issuer.access(hands.clone()));
    let token = OLD.sign(&lasting());
    access.verify(&token).await.unwrap();
    for round in 1..4 {
        hands.on(Duration::from_secs(31));
        let all: Vec<_> = (0..100)
            .map(|id| {
                let access = access.clone();
                tokio::spawn(async move { access.verify(&stranger(id)).await.unwrap_err() })
            })
            .collect();
        for one in all {
            let told = one.await.unwrap();
            assert!(matches!(told, Refused::Key), "{told:?}");
        }
        assert_eq!(issuer.asked(), 1 + round);
    }
    assert!(access.verify(&token).await.is_ok(), "who is known is let in meanwhile");
}

#[tokio::test]
async fn whoever_is_known_does_not_wait_while_a_stranger_asks() {
    let issuer = Issuer::start(keys()).await;
    let hands = Hands::new();
    let access = Arc::new(issuer.access(hands.clone()));
    let token = OLD.sign(&lasting());
    access.verify(&token).await.unwrap();
    issuer.becomes(Manner::Silent);
    hands.on(Duration::from_secs(31));
    let asking = {
        let access = access.clone();
        tokio::spawn(async move { access.verify(&stranger(1)).await })
    };
    while issuer.asked() < 2 {
        issuer.news.notified().await;
    }
    access.verify(&token).await.unwrap();
    assert!(!asking.is_finished());
    asking.abort();
}

#[tokio::test]
async fn a_new_key_is_taken_up_and_an_old_one_forgotten() {
    let issuer = Issuer::start(keys()).await;
    let hands = Hands::new();
    let access = issuer.access(hands.clone());
    access.verify(&OLD.sign(&lasting())).await.unwrap();
    issuer.becomes(Manner::Keys(vec![NEW.public.clone()]));
    hands.on(Duration::from_secs(31));
    access.verify(&NEW.sign(&lasting())).await.unwrap();
    let told = access.verify(&OLD.sign(&lasting())).await.unwrap_err();
    assert!(matches!(told, Refused::Key), "{told:?}");
}

#[tokio::test]
async fn keys_are_refreshed_beside_the_work() {
    let issuer = Issuer::start(keys()).await;
    let hands = Hands::new();
    let access = issuer.access(hands.clone());
    access.verify(&OLD.sign(&lasting())).await.unwrap();
    issuer.becomes(Manner::Silent);
    hands.on(HOUR * 2);
    // It does not wait for the answer, which never comes.
    access.verify(&OLD.sign(&lasting())).await.unwrap();
    let asked = async {
        while issuer.asked() < 2 {
            issuer.news.notified().await;
        }
    };
    tokio::time::timeout(LONG, asked).await.unwrap();
}

#[tokio::test]
async fn old_keys_are_good_for_a_day_of_outage() {
    let issuer = Issuer::start(keys()).await;
    let hands = Hands::new();
    let access = issuer.access(hands.clone());
    let token = OLD.sign(&lasting());
    access.verify(&token).await.unwrap();
    issuer.becomes(Manner::Status(503));
    hands.on(HOUR * 23);
    access.verify(&token).await.unwrap();
    hands.on(HOUR);
    let told = access.verify(&token).await.unwrap_err();
    assert!(told.is_unavailable(), "{told:?}");
    issuer.becomes(keys());
    hands.on(Duration::from_secs(6));
    access.verify(&token).await.unwrap();
}

#[tokio::test]
async fn a_clock_that_moved_back_locks_nobody_out() {
    let issuer = Issuer::start(keys()).await;
    let hands = Hands::new();
    let access = issuer.access(hands.clone());
    let long_ago = json!({"iat": 1_000_000_000, "nbf": 1_000_000_000, "exp": 2_000_000_000});
    access.verify(&OLD.sign(&claims(&long_ago))).await.unwrap();
    hands.set(1_500_000_000);
    issuer.becomes(Manner::Keys(vec![NEW.public.clone()]));
    access.verify(&NEW.sign(&claims(&long_ago))).await.unwrap();
}

#[tokio::test]
async fn without_a_network_it_says_so_and_tries_again() {
    let issuer = Issuer::start(Manner::Status(502)).await;
    let hands = Hands::new();
    let access = issuer.access(hands.clone());
    let token = OLD.sign(&lasting());
    let told = access.verify(&token).await.unwrap_err();
    assert!(told.is_unavailable(), "{told:?}");
    assert!(std::error::Error::source(&told).unwrap().to_string().contains("502"));
    // Not for each request.
    assert!(access.verify(&token).await.unwrap_err().is_unavailable());
    assert_eq!(issuer.asked(), 1);
    issuer.becomes(keys());
    hands.on(Duration::from_secs(6));
    access.verify(&token).await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_told_by_the_place() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let access = access(Some(base.parse().unwrap()), http(LONG), Hands::new());
    let told = access.check().await.unwrap_err();
    let why = std::error::Error::source(&told).unwrap().to_string();
    assert!(why.contains(&base) && why.contains("cannot be asked"), "{why}");
}

#[tokio::test]
async fn who_gives_up_leaves_the_question_to_the_others() {
    let issuer = Issuer::start(Manner::Silent).await;
    let hands = Hands::new();
    let access = Arc::new(access(Some(issuer.base.clone()), http(LONG), hands.clone()));
    let token = OLD.sign(&lasting());
    let first = {
        let (access, token) = (access.clone(), token.clone());
        tokio::spawn(async move { access.verify(&token).await.is_ok() })
    };
    issuer.news.notified().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let second = tokio::spawn(async move { access.verify(&token).await.is_ok() });
    tokio::task::yield_now().await;
    assert_eq!(issuer.asked(), 1, "one question is under way");
    second.abort();
}

#[tokio::test]
async fn a_key_set_that_cannot_be_meant_is_none_and_says_why() {
    let many: Vec<Value> = (0..65).map(|_| OLD.public.clone()).collect();
    let elsewhere = Issuer::start(keys()).await;
    let to = elsewhere.base.join("cdn-cgi/access/certs").unwrap().to_string();
    let patient = Duration::from_millis(300);
    let mut said = BTreeSet::new();
    for (manner, word, patience) in [
        (Manner::Text("x".repeat(300 << 10)), "256 KiB", LONG),
        (Manner::Text("<html>".into()), "cannot be read", LONG),
        (Manner::Text("{\"keys\":7}".into()), "cannot be read", LONG),
        (Manner::Keys(many), "64 keys", LONG),
        (Manner::Keys(Vec::new()), "no key", LONG),
        (Manner::Keys(vec![json!({"kty": "oct", "k": "AAAA", "kid": "old"})]), "no key", LONG),
        (Manner::Status(404), "404", LONG),
        (Manner::Redirect(to), "303", LONG),
        (Manner::Silent, "in time", patient),
        (Manner::Drips, "in time", patient),
    ] {
        let issuer = Issuer::start(manner).await;
        let access = access(Some(issuer.base.clone()), http(patience), Hands::new());
        let told = access.verify(&OLD.sign(&lasting())).await.unwrap_err();
        assert!(told.is_unavailable(), "{told:?}");
        let why = std::error::Error::source(&told).unwrap().to_string();
        assert!(why.contains(word), "{word}: {why}");
        said.insert(word);
    }
    assert_eq!(elsewhere.asked(), 0, "a redirect chooses nobody to believe");
    assert_eq!(said.len(), 7);
}

#[tokio::test]
async fn a_bad_key_set_leaves_the_good_one() {
    let issuer = Issuer::start(keys()).await;
    let hands = Hands::new();
    let access = issuer.access(hands.clone());
    access.verify(&OLD.sign(&lasting())).await.unwrap();
    issuer.becomes(Manner::Keys(Vec::new()));
    hands.on(Duration::from_secs(31));
    let told = access.verify(&NEW.sign(&lasting())).await.unwrap_err();
    assert!(matches!(told, Refused::Key), "{told:?}");
    access.verify(&OLD.sign(&lasting())).await.unwrap();
}
