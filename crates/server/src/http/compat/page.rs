//! ADMIN_API.md and docs/reference/compatibility.md, from the routes themselves.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::answered::ANSWERED;
use super::gone::GONE;

const HEAD: &str = include_str!("admin_api.md");
const COMPATIBILITY: &str = include_str!("compatibility.md");

/// The page about `/api/v1`. `document` is its OpenAPI document.
pub fn page(document: &Value) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("\n## `/api/v1`\n");
    for (noun, calls) in nouns(document) {
        let _ = write!(text, "\n### {noun}\n\n| method | path | |\n|---|---|---|\n");
        for (method, path, summary) in calls {
            let _ = writeln!(text, "| {} | `{path}` | {summary} |", method.to_uppercase());
        }
    }
    text
}

/// The page about the original's calls: a line for each.
pub fn compatibility() -> String {
    let mut text = COMPATIBILITY.to_owned();
    text.push_str("\n## Answered\n\n| method | path | |\n|---|---|---|\n");
    for (method, path, says) in ANSWERED {
        let _ = writeln!(text, "| {method} | `{path}` | {says} |");
    }
    text.push_str(
        "\n## Replaced\n\nThese are refused with 410, code `gone`, and the hint below.\n\
         `*` is every method.\n\n| method | path | use instead |\n|---|---|---|\n",
    );
    for gone in GONE {
        let _ = writeln!(text, "| {} | `{}` | {} |", gone.method, gone.path, gone.instead);
    }
    text
}

type Call<'a> = (&'a str, &'a str, &'a str);

fn nouns(document: &Value) -> BTreeMap<&str, Vec<Call<'_>>> {
    let mut nouns: BTreeMap<&str, Vec<Call<'_>>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let noun = operation["tags"][0].as_str().unwrap_or("other");
            let summary = operation["summary"].as_str().unwrap_or_default();
            nouns.entry(noun).or_default().push((method, path, summary));
        }
    }
    nouns
}
