//! The OpenAPI document, made from the table of routes: it cannot know a route that there is not,
//! nor miss one of the API that there is.

mod codes;
mod document;
mod get;
mod html;
mod params;

use axum::routing::MethodFilter;
use http::Method;
use smartbox_api::problem::Code;
use utoipa::openapi::path::{HttpMethod, Operation, PathItem, Paths};
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::PathItemExt;

pub use document::document;
pub(super) use get::{Documents, routes};

use super::route::{Limit, Policy};

/// What a route says of itself.
pub struct Described {
    /// Its operation.
    pub operation: Operation,
    /// The schemas that it names.
    pub schemas: Vec<(String, RefOr<Schema>)>,
    /// Every code that it can be refused with.
    pub codes: Vec<Code>,
}

impl Described {
    pub(super) fn new(
        mut operation: Operation,
        schemas: Vec<(String, RefOr<Schema>)>,
        method: &Method,
        policy: Policy,
        limit: Limit,
        own: &[Code],
    ) -> Self {
        let codes = codes::of(method, policy, limit, &operation, own);
        // One word for a program that makes a client: the noun and the verb.
        let noun = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
        let verb = operation.operation_id.unwrap_or_default();
        operation.operation_id = Some(format!("{noun}_{verb}"));
        Self { operation, schemas, codes }
    }
}

/// The one operation of a `routes!(handler)`.
pub(super) fn only(paths: Paths) -> Operation {
    let mut found = paths.paths.into_values().flat_map(operations);
    let (Some((_, operation)), None) = (found.next(), found.next()) else {
        panic!("a route has one handler, and a handler one method and one path");
    };
    operation
}

/// The one method of a handler, as everybody but the document calls it.
pub(super) fn method(methods: &[HttpMethod]) -> (Method, MethodFilter) {
    let [method] = methods else { panic!("a handler has one method") };
    let filter = method.to_method_filter();
    let method = match method {
        HttpMethod::Put => Method::PUT,
        HttpMethod::Post => Method::POST,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Trace => Method::TRACE,
        HttpMethod::Get => Method::GET,
    };
    (method, filter)
}

/// The operations of a path.
pub(super) fn operations(item: PathItem) -> Vec<(Method, Operation)> {
    [
        (Method::GET, item.get),
        (Method::PUT, item.put),
        (Method::POST, item.post),
        (Method::DELETE, item.delete),
        (Method::PATCH, item.patch),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
    .collect()
}
