//! The OpenAPI document: whole, clear and served.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::Value;
use smartbox_server::http::doc::document;
use smartbox_server::http::route::Policy;
use smartbox_server::http::routes;

use crate::world::World;

fn whole() -> Value {
    serde_json::to_value(document(&routes())).unwrap()
}

/// Every operation, with its method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap();
        item.iter().map(move |(method, it)| (format!("{} {path}", method.to_uppercase()), it))
    });
    all.collect()
}

/// Every `$ref` in it.
fn references<'a>(it: &'a Value, found: &mut BTreeSet<&'a str>) {
    match it {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn the_document_has_every_route_of_the_api_and_no_other() {
    let document = whole();
    let written: BTreeSet<String> = operations(&document).into_iter().map(|(at, _)| at).collect();
    let served: BTreeSet<String> = routes()
        .iter()
        .filter(|route| route.described().is_some())
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    assert_eq!(written, served);
    for route in routes().iter().filter(|route| route.path.starts_with("/api/v1")) {
        assert!(route.described().is_some(), "{} is not described", route.path);
        let closed = matches!(route.policy, Policy::Api(_) | Policy::Operator(_));
        // Nobody has anything to sign in by who asks to be let in: a proof of a key is asked for.
        let asks = ["/api/v1/device/authorize", "/api/v1/device/token"];
        let closed = closed || asks.contains(&route.path.as_str());
        assert!(closed, "{} is open to everyone", route.path);
    }
}

#[test]
fn every_operation_says_what_it_is() {
    let document = whole();
    let mut ids = BTreeSet::new();
    for (at, it) in operations(&document) {
        for key in ["summary", "operationId"] {
            assert!(it[key].as_str().is_some_and(|text| !text.is_empty()), "{at} has no {key}");
        }
        let id = it["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{at}: two operations are called {id}");
        assert_eq!(it["tags"].as_array().map(Vec::len), Some(1), "{at} needs one tag: its noun");
        for parameter in it["parameters"].as_array().into_iter().flatten() {
            let said = parameter["description"].as_str().is_some_and(|text| !text.is_empty());
            let name = &parameter["name"];
            assert!(said, "{at}: {name} is not described (its type, or `http/doc/params.rs`)");
        }
        let good = |key: &String| key.starts_with('2') || key == "101";
        let good = it["responses"].as_object().unwrap().keys().any(good);
        assert!(good, "{at} has no good reply");
    }
    let text = document.to_string();
    assert!(!text.contains("[`"), "a link of rustdoc means nothing here: {}", {
        let at = text.find("[`").unwrap_or(0);
        text.chars().skip(at.saturating_sub(80)).take(160).collect::<String>()
    });
}

#[test]
fn every_reference_leads_somewhere_and_one_name_means_one_thing() {
    let document = whole();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let mut schemas = BTreeMap::new();
    for route in routes() {
        for (name, schema) in route.described().into_iter().flat_map(|described| described.schemas)
        {
            let schema = serde_json::to_value(schema).unwrap();
            let before = schemas.insert(name.clone(), schema.clone());
            assert!(
                before.is_none_or(|before| before == schema),
                "two types are called {name}: give one a name with #[schema(as = …)]"
            );
        }
    }
}

#[tokio::test]
async fn anybody_may_read_it_and_its_page_loads_nothing_from_elsewhere() {
    let world = World::new().await;
    let answer = world.ask(Method::GET, "/api/openapi.json").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.json::<Value>().await.unwrap(), whole());
    let answer = world.ask(Method::GET, "/api/docs").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    let page = answer.text().await.unwrap();
    for part in ["/api/v1/boxes/{name}/wake", "bad-request", "schema-SmartboxView", "<details"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("src=") && !page.contains("//"), "it loads something");
}
