//! Who Access says that somebody is.

use serde_json::json;
use smartbox_core::time::Timestamp;

use crate::issuer::{AUD, Hands, Issuer, Manner, NOW, OLD, TEAM, claims};

async fn issuer() -> std::sync::Arc<Issuer> {
    Issuer::start(Manner::Keys(vec![OLD.public.clone()])).await
}

#[tokio::test]
async fn a_person_is_who_the_token_says() {
    let access = issuer().await.access(Hands::new());
    let token = OLD.sign(&claims(&json!({"name": "Ada", "custom": {"groups": ["crew", "ops"]}})));
    let person = access.verify(&token).await.unwrap();
    assert_eq!(person.issuer, TEAM);
    assert_eq!(person.subject, "7335d417-61da-459d-899c-0a01c76a2f94");
    assert_eq!(person.email.as_deref(), Some("ada@example.com"));
    assert!(person.email_verified && !person.service);
    assert_eq!(person.name.as_deref(), Some("Ada"));
    assert_eq!(person.groups, ["crew", "ops"]);
    assert_eq!(person.expires, Timestamp((NOW + 3600) * 1000));
}

#[tokio::test]
async fn an_audience_is_a_text_or_among_others() {
    let access = issuer().await.access(Hands::new());
    for aud in [json!(AUD), json!([AUD]), json!(["other", AUD])] {
        let token = OLD.sign(&claims(&json!({"aud": aud})));
        assert!(access.verify(&token).await.is_ok(), "{aud}");
    }
}

#[tokio::test]
async fn a_service_has_the_name_of_its_token_and_no_address() {
    let access = issuer().await.access(Hands::new());
    let name = "f1b2.access";
    let said = json!({"sub": "", "common_name": name, "email": "ada@example.com"});
    let service = access.verify(&OLD.sign(&claims(&said))).await.unwrap();
    assert!(service.service);
    assert_eq!(service.subject, name);
    assert_eq!((service.email, service.email_verified), (None, false));
}

#[tokio::test]
async fn clocks_may_differ_by_a_minute_and_no_more() {
    let hands = Hands::new();
    let access = issuer().await.access(hands.clone());
    let token = OLD.sign(&claims(&json!({})));
    for (seconds, good) in [(-71, false), (-69, true), (3659, true), (3661, false)] {
        hands.set(NOW + seconds);
        assert_eq!(access.verify(&token).await.is_ok(), good, "{seconds}");
    }
}
