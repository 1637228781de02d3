//! Tokens that are nearly good, and heads and claims of every form: none is believed, and nothing panics.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use smartbox_sign_in::Access;
use tokio::runtime::Runtime;

use crate::issuer::{Hands, Issuer, Manner, OLD, claims};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static ACCESS: LazyLock<Access> = LazyLock::new(|| {
    RUNTIME.block_on(async {
        let issuer = Issuer::start(Manner::Keys(vec![OLD.public.clone()])).await;
        issuer.access(Hands::new())
    })
});
static GOOD: LazyLock<String> = LazyLock::new(|| OLD.sign(&claims(&json!({}))));

fn is_believed(token: &str) -> bool {
    RUNTIME.block_on(ACCESS.verify(token)).is_ok()
}

#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, char),
    Insert(prop::sample::Index, char),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    let letter = || {
        prop_oneof![4 => "[A-Za-z0-9_.=+/-]", 1 => any::<char>().prop_map(String::from)]
            .prop_map(|text| text.chars().next().unwrap_or('A'))
    };
    prop_oneof![
        (at(), letter()).prop_map(|(at, c)| Change::Set(at, c)),
        (at(), letter()).prop_map(|(at, c)| Change::Insert(at, c)),
        at().prop_map(Change::Remove),
        at().prop_map(Change::Cut),
        (at(), at()).prop_map(|(one, other)| Change::Swap(one, other)),
    ]
}

fn changed(token: &str, changes: &[Change]) -> String {
    let mut text: Vec<char> = token.chars().collect();
    for change in changes {
        if text.is_empty() {
            break;
        }
        let len = text.len();
        match change {
            Change::Set(at, c) => text[at.index(len)] = *c,
            Change::Insert(at, c) => text.insert(at.index(len), *c),
            Change::Remove(at) => drop(text.remove(at.index(len))),
            Change::Cut(at) => text.truncate(at.index(len)),
            Change::Swap(one, other) => text.swap(one.index(len), other.index(len)),
        }
    }
    text.into_iter().collect()
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-zA-Z0-9]{0,8}".prop_map(Value::from),
        prop_oneof!["none", "HS256", "RS256", "ES256", "EdDSA", "PS256", "old", "app"]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((key(), inner), 0..4).prop_map(Value::from_iter),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "alg", "kid", "typ", "crit", "jwk", "iss", "aud", "exp", "iat", "nbf", "type", "sub"
    ]
}

fn part(value: &Value) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
}

#[test]
fn the_token_that_is_changed_is_good() {
    assert!(is_believed(&GOOD));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_changed_token_is_not_believed(changes in vec(change(), 1..4)) {
        let token = changed(&GOOD, &changes);
        prop_assume!(token != *GOOD);
        prop_assert!(!is_believed(&token), "{token}");
    }

    #[test]
    fn heads_and_claims_of_every_form_are_not_believed(
        head in vec((key(), json()), 0..5), claims in json(), signature in "[A-Za-z0-9_-]{0,20}",
    ) {
        let mut head = Value::from_iter(head);
        if head.get("kid").is_some_and(|id| id.as_str() != Some("old")) {
            head["kid"] = "old".into();
        }
        let real = GOOD.rsplit('.').next().unwrap();
        for signature in [signature.as_str(), real] {
            let token = format!("{}.{}.{signature}", part(&head), part(&claims));
            prop_assert!(!is_believed(&token), "{token}");
        }
    }

    #[test]
    fn claims_of_every_form_that_the_issuer_signed_do_not_panic(
        changes in vec((key(), json()), 1..4),
    ) {
        // `null` removes a claim; what is left may be good, and then it says what it must.
        let said = claims(&Value::from_iter(changes));
        let token = OLD.sign(&said);
        if is_believed(&token) {
            prop_assert_eq!(&said["type"], "app");
            prop_assert!(said["exp"].is_number() && said["iss"].is_string());
        }
    }

    #[test]
    fn any_text_is_not_believed(text in any::<String>()) {
        prop_assert!(!is_believed(&text));
    }
}
