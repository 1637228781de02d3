//! The document as a page that works without scripts and loads nothing from anywhere else.

use std::collections::BTreeMap;

use askama::Template;
use serde_json::Value;
use utoipa::openapi::OpenApi;

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs<'a> {
    title: &'a str,
    version: &'a str,
    about: Vec<(&'a str, &'a str)>,
    nouns: BTreeMap<&'a str, Vec<Operation<'a>>>,
    schemas: Vec<Schema<'a>>,
}

struct Operation<'a> {
    id: &'a str,
    method: String,
    path: &'a str,
    summary: &'a str,
    description: &'a str,
    parameters: Vec<Parameter<'a>>,
    bodies: Vec<Body<'a>>,
    replies: Vec<Reply<'a>>,
}

struct Parameter<'a> {
    name: &'a str,
    place: &'a str,
    required: bool,
    kind: Kind<'a>,
    description: &'a str,
}

struct Body<'a> {
    media: &'a str,
    kind: Kind<'a>,
}

struct Reply<'a> {
    status: &'a str,
    description: &'a str,
    bodies: Vec<Body<'a>>,
}

struct Schema<'a> {
    name: &'a str,
    description: &'a str,
    text: String,
}

/// What kind of value: words of JSON, or a schema of the document.
struct Kind<'a> {
    schema: Option<&'a str>,
    words: &'a str,
}

/// The page.
pub(super) fn page(document: &OpenApi) -> String {
    // Our own document: maps with keys of text, which always serialise.
    let whole = serde_json::to_value(document).unwrap_or_default();
    let mut nouns: BTreeMap<&str, Vec<Operation<'_>>> = BTreeMap::new();
    for (path, item) in members(&whole["paths"]) {
        for (method, it) in members(item) {
            nouns
                .entry(text(&it["tags"][0]))
                .or_default()
                .push(operation(&whole, path, method, it));
        }
    }
    let docs = Docs {
        title: text(&whole["info"]["title"]),
        version: text(&whole["info"]["version"]),
        about: text(&whole["info"]["description"]).split("\n\n").map(lead).collect(),
        nouns,
        schemas: members(&whole["components"]["schemas"]).map(schema).collect(),
    };
    docs.render().unwrap_or_else(|error| {
        tracing::error!(%error, "the page of the API could not be rendered");
        String::new()
    })
}

/// A text in its parts, each with whether it is code: every other part between backticks.
fn parts(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(n, part)| (n % 2 == 1, part))
}

/// The words that a paragraph begins with in bold, and the others.
fn lead(paragraph: &str) -> (&str, &str) {
    let bold = paragraph.strip_prefix("**").and_then(|rest| rest.split_once("**"));
    bold.unwrap_or(("", paragraph))
}

fn operation<'a>(whole: &'a Value, path: &'a str, method: &str, it: &'a Value) -> Operation<'a> {
    Operation {
        id: text(&it["operationId"]),
        method: method.to_uppercase(),
        path,
        summary: text(&it["summary"]),
        description: text(&it["description"]),
        parameters: it["parameters"].as_array().into_iter().flatten().map(parameter).collect(),
        bodies: bodies(&it["requestBody"]),
        replies: members(&it["responses"])
            .map(|(status, reply)| {
                let reply = resolve(whole, reply);
                let description = text(&reply["description"]);
                Reply { status, description, bodies: bodies(reply) }
            })
            .collect(),
    }
}

fn parameter(it: &Value) -> Parameter<'_> {
    Parameter {
        name: text(&it["name"]),
        place: text(&it["in"]),
        required: it["required"] == true,
        kind: kind(&it["schema"]),
        description: text(&it["description"]),
    }
}

fn bodies(it: &Value) -> Vec<Body<'_>> {
    members(&it["content"]).map(|(media, it)| Body { media, kind: kind(&it["schema"]) }).collect()
}

fn schema<'a>((name, it): (&'a str, &'a Value)) -> Schema<'a> {
    let text_of_it = serde_json::to_string_pretty(it).unwrap_or_default();
    Schema { name, description: text(&it["description"]), text: text_of_it }
}

/// Follows a reference within the document.
fn resolve<'a>(whole: &'a Value, it: &'a Value) -> &'a Value {
    let to = it["$ref"].as_str().and_then(|to| to.strip_prefix('#'));
    to.and_then(|pointer| whole.pointer(pointer)).unwrap_or(it)
}

/// The first schema that is named: directly, as the kind of an array's items, or as one of several.
fn kind(it: &Value) -> Kind<'_> {
    let several = ["oneOf", "allOf", "anyOf"].iter().filter_map(|word| it[word].as_array());
    let several = several.flatten().find_map(named);
    let words = match &it["type"] {
        Value::Array(words) => words.first().map(text).unwrap_or_default(),
        word => text(word),
    };
    Kind { schema: named(it).or_else(|| named(&it["items"])).or(several), words }
}

fn named(it: &Value) -> Option<&str> {
    it["$ref"].as_str().and_then(|to| to.rsplit('/').next())
}

fn members(it: &Value) -> impl Iterator<Item = (&str, &Value)> {
    it.as_object().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
}

fn text(it: &Value) -> &str {
    it.as_str().unwrap_or_default()
}
