use proptest::prelude::*;

use super::*;

fn scan(text: &[u8]) -> Result<Option<Found>, ScanError> {
    let mut scanner = Scanner::new("model", 256);
    scanner.feed(text)?;
    Ok(scanner.found().cloned())
}

fn value(text: &str) -> Option<String> {
    scan(text.as_bytes()).unwrap().map(|found| String::from_utf8(found.raw).unwrap())
}

#[test]
fn the_member_is_found_wherever_it_stands() {
    for text in [
        r#"{"model":"m"}"#,
        r#" { "a" : [1,{"model":"no"}] , "model" : "m" , "b":2}"#,
        r#"{"a":"\"model\":\"no\"","model":"m"}"#,
        r#"{"mod\u0065l":"m"}"#,
        r#"{"messages":[{"content":"}{\\"}],"n":1.5e3,"t":true,"model":"m"}"#,
    ] {
        assert_eq!(value(text).as_deref(), Some(r#""m""#), "{text}");
        let found = scan(text.as_bytes()).unwrap().unwrap();
        assert_eq!(&text.as_bytes()[found.range], br#""m""#, "{text}");
    }
}

#[test]
fn a_nested_member_is_not_it() {
    assert_eq!(value(r#"{"a":{"model":"no"},"b":["model","no"]}"#), None);
}

#[test]
fn objects_are_captured_whole() {
    assert_eq!(value(r#"{"model":{"a":[1,"]}"]},"x":1}"#).as_deref(), Some(r#"{"a":[1,"]}"]}"#));
    assert_eq!(value(r#"{"model": null }"#).as_deref(), Some("null"));
}

#[test]
fn what_two_parsers_could_read_differently_is_refused() {
    for text in [
        r#"{"model":"a","model":"b"}"#,
        r#"{"model":"a","MODEL":"b"}"#,
        r#"{"model":"a","\u006dodel":"b"}"#,
    ] {
        assert_eq!(scan(text.as_bytes()), Err(ScanError::Twice), "{text}");
    }
    for text in [
        "[]",
        "model",
        "\u{feff}{}",
        r#"{model:"a"}"#,
        r#"{"model":"a"}{"model":"b"}"#,
        "{'model':1}",
        r#"{"a"]"#,
    ] {
        assert_eq!(scan(text.as_bytes()), Err(ScanError::NotObject), "{text}");
    }
    let long = format!(r#"{{"model":"{}"}}"#, "x".repeat(300));
    assert_eq!(scan(long.as_bytes()), Err(ScanError::TooLong));
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[a-z\"\\\\{}\\[\\],:é ]{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map("[a-z\"\\\\]{0,6}|model", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn it_agrees_with_a_real_parser_however_the_text_is_cut(
        members in prop::collection::btree_map("[a-z\"\\\\é]{0,6}|model", json(), 0..5),
        pretty: bool,
        cuts in prop::collection::vec(1..9_usize, 1..40),
    ) {
        let object = serde_json::Value::Object(members.into_iter().collect());
        let text = if pretty { serde_json::to_vec_pretty(&object) } else { serde_json::to_vec(&object) }.unwrap();
        let mut scanner = Scanner::new("model", 1 << 20);
        let (mut rest, mut cut) = (text.as_slice(), cuts.iter().cycle());
        while !rest.is_empty() {
            let (piece, left) = rest.split_at((*cut.next().unwrap()).min(rest.len()));
            scanner.feed(piece).unwrap();
            rest = left;
        }
        prop_assert!(scanner.ended());
        let found = scanner.found().map(|f| {
            assert_eq!(f.raw.as_slice(), &text[f.range.clone()]);
            serde_json::from_slice::<serde_json::Value>(&f.raw).unwrap()
        });
        prop_assert_eq!(found.as_ref(), object.get("model"));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let _ = scan(&bytes);
    }
}
