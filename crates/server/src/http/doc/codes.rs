//! The codes that an operation is refused with, and the replies that the document has for them.

use std::collections::BTreeMap;

use http::Method;
use smartbox_api::problem::{Code, MEDIA_TYPE, Problem};
use utoipa::ToSchema;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::AllOfBuilder;
use utoipa::openapi::{
    Content, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Schema, Type,
};

use super::super::route::{Limit, Policy};
use smartbox_core::person::Right;

use super::super::{once, origin};
use super::params;

/// Those of the guard, of the outermost layer and of the records, and the operation's own.
pub(super) fn of(
    method: &Method,
    policy: Policy,
    limit: Limit,
    operation: &Operation,
    own: &[Code],
) -> Vec<Code> {
    let mut codes =
        vec![Code::BadRequest, Code::WrongHost, Code::TooMany, Code::Internal, Code::Draining];
    if policy != Policy::Public {
        codes.extend([Code::Unauthenticated, Code::Unproven, Code::NotLetIn]);
    }
    let needs = match policy {
        Policy::Api(needs) | Policy::Session(needs) => needs > Right::Read,
        Policy::Operator(_) => true,
        Policy::Public | Policy::Admin | Policy::Browser => false,
    };
    // Who may look at everything may do what only looks, and whoever may not is told that it is not there.
    if needs {
        codes.push(Code::Forbidden);
    }
    if !origin::harmless(method) {
        codes.extend([Code::Forbidden, Code::DiskFull]);
    }
    if matches!(limit, Limit::Bytes(_)) {
        codes.push(Code::TooLarge);
        if operation.request_body.is_some() {
            codes.push(Code::UnsupportedMediaType);
        }
    }
    if once::stands_before(method, policy, limit) {
        codes.extend([Code::Conflict, Code::IdempotencyMismatch]);
    }
    if params::compares(operation) {
        codes.push(Code::PreconditionFailed);
    }
    codes.extend(own);
    codes.sort_by_key(|code| (code.status(), code.as_str()));
    codes.dedup();
    codes
}

/// The replies, one a status, under the name that the document keeps each by. The same codes have
/// the same name, so that the document says a thing once.
pub(super) fn replies(codes: &[Code]) -> BTreeMap<u16, (String, Response)> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status()).or_default().push(*code);
    }
    by_status
        .into_iter()
        .map(|(status, codes)| {
            let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
            (status, (words.join("."), reply(&codes)))
        })
        .collect()
}

fn reply(codes: &[Code]) -> Response {
    let lines: Vec<String> =
        codes.iter().map(|code| format!("`{}`: {}.", code.as_str(), code.title())).collect();
    let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
    let narrowed = ObjectBuilder::new().property("code", code);
    let schema = AllOfBuilder::new().item(Ref::from_schema_name(Problem::name())).item(narrowed);
    let schema = RefOr::T(Schema::AllOf(schema.build()));
    ResponseBuilder::new()
        .description(lines.join(" "))
        .content(MEDIA_TYPE, Content::new(Some(schema)))
        .build()
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::request_body::RequestBody;

    use super::*;
    use crate::http::route::SMALL;

    #[test]
    fn a_route_has_the_codes_of_what_stands_before_it() {
        let words = |codes: &[Code]| codes.iter().map(|c| c.as_str()).collect::<Vec<_>>().join(" ");
        let bare = Operation::new();
        let mut changing = Operation::new();
        changing.request_body = Some(RefOr::T(RequestBody::default()));
        assert_eq!(
            words(&of(&Method::GET, Policy::Public, Limit::Stream, &bare, &[])),
            "bad-request wrong-host too-many-requests internal draining"
        );
        assert_eq!(
            words(&of(
                &Method::POST,
                Policy::Api(Right::Manage),
                SMALL,
                &changing,
                &[Code::NotFound, Code::Internal]
            )),
            "bad-request not-let-in unauthenticated unproven forbidden not-found conflict too-large \
             unsupported-media-type wrong-host idempotency-mismatch too-many-requests internal draining disk-full"
        );
    }
}
