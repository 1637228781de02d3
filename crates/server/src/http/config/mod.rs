//! The configuration of a box's engine: read, replaced, patched, its history. Reading wakes nobody.

mod change;
mod get;
mod history;
mod reload;
mod roll_back;
mod schema;
mod view;

use http::HeaderMap;
use http::header::IF_MATCH;
use smartbox_api::config::MAX_DOCUMENT;
use smartbox_api::problem::Code;
use smartbox_control::Terms;
use smartbox_core::person::Right;

use super::route::{Limit, Policy, Route, SMALL, routes};

/// A document may be written with more spaces than we need.
const BODY: Limit = Limit::Bytes(2 * MAX_DOCUMENT);
const READ: &[Code] = &[Code::NotFound, Code::Refused, Code::Upstream];
const CHANGED: &[Code] = &[
    Code::NotFound,
    Code::PreconditionFailed,
    Code::Refused,
    Code::InvalidConfig,
    Code::Upstream,
    Code::Late,
];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(get::get), Policy::Api(Right::Read), SMALL, READ),
        Route::api(routes!(change::replace), Policy::Api(Right::Manage), BODY, CHANGED),
        Route::api(routes!(change::patch), Policy::Api(Right::Manage), BODY, CHANGED),
        Route::api(routes!(history::list), Policy::Api(Right::Read), SMALL, READ),
        Route::api(routes!(history::get), Policy::Api(Right::Read), SMALL, READ),
        Route::api(routes!(roll_back::roll_back), Policy::Api(Right::Manage), SMALL, CHANGED),
        Route::api(routes!(reload::reload), Policy::Api(Right::Manage), SMALL, CHANGED),
        Route::api(routes!(schema::schema), Policy::Api(Right::Read), SMALL, READ),
    ]
}

/// What the caller says must be so. A tag that is none of ours matches nothing.
fn terms(headers: &HeaderMap, dry_run: bool) -> Terms {
    let mut lines = headers.get_all(IF_MATCH).iter().peekable();
    if lines.peek().is_none() {
        return Terms { digests: None, dry_run };
    }
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    if lines.iter().any(|line| line.trim() == "*") {
        return Terms { digests: None, dry_run };
    }
    let tags = lines.iter().flat_map(|line| line.split(','));
    let digest = |tag: &str| tag.trim().strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
    Terms { digests: Some(tags.filter_map(digest).collect()), dry_run }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_they_were_given() {
        let said = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(IF_MATCH, http::HeaderValue::from_static(line));
            }
            terms(&headers, false).digests
        };
        assert_eq!(said(&[]), None);
        assert_eq!(said(&["*"]), None);
        assert_eq!(said(&["\"a\", \"b\"", "\"c\""]).unwrap(), ["a", "b", "c"]);
        // A weak tag promises too little, and what is none matches nothing.
        assert!(said(&["W/\"a\""]).unwrap().is_empty());
        assert!(said(&["a"]).unwrap().is_empty());
    }
}
