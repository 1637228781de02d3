//! The document whole.

use std::collections::BTreeMap;

use http::Method;
use smartbox_api::problem::Problem;
use utoipa::openapi::path::{HttpMethod, Operation, Paths};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::super::route::{Policy, Route};
use super::{codes, params};

const ABOUT: &str = "\
What the `smartbox` command and the platform's own pages ask.

**Who asks.** A bearer (`smartbox token create` makes one), a session of a browser on the platform's \
own origin, or a process of the platform's own user on the socket `control.sock` in the data \
directory, which needs neither. What a session changes it changes only from our own pages \
(`Origin`, `Sec-Fetch-Site`). What belongs to another account is not there: 404. An operator acts for another account by the \
header `smartbox-account` (its name or id).

**Errors** are problem documents (RFC 9457) with a stable `code`, a `detail` for a person and a \
`hint`. Each reply has its request's id in the header `smartbox-request-id`, each problem in \
`request_id`; the platform's log has it too.

**Twice.** A `POST` with an `Idempotency-Key` of the caller's own is done once: for a day the same \
key on the same address gives the same reply, with `smartbox-replayed: true`. The same key for \
something else is `idempotency-mismatch`; while the first is being done the answer is `conflict` \
with `Retry-After`. Replies of 500 and more, and those with `Retry-After`, give the key back. A \
reply that is not text or longer than 64 KiB says `smartbox-not-kept: true`, and the key then only \
keeps it from being done again. If the platform dies in the middle, the answer to the same key is \
`conflict`: nobody knows whether it was done. Streams take no key.

**Revisions.** What has a revision has an `ETag`. A change with `If-Match` is made only if nobody \
else has changed it since: else `precondition-failed`. Without it the change is made.

**Lists** come in pages: `limit` (1 to 200, 50 if absent) and `cursor`, which is the `next` of the \
page before and means nothing else. A page without `next` is the last.

**Times** are milliseconds since the Unix epoch, UTC. A `GET` changes nothing and wakes nothing, \
but for the history of a conversation, which only the engine knows.";

/// The OpenAPI document of these routes.
pub fn document(routes: &[Route]) -> OpenApi {
    let mut paths = Paths::new();
    let mut components = ComponentsBuilder::new()
        .schema(Problem::name(), Problem::schema())
        .security_scheme("bearer", bearer())
        .security_scheme("session", session());
    let mut replies = BTreeMap::new();
    for route in routes {
        let Some(described) = route.described() else { continue };
        let mut operation = described.operation.clone();
        params::describe(&route.path, &mut operation);
        if route.has_key() {
            params::add_key(&mut operation);
        }
        operation.security = Some(security(route.policy));
        for (status, (name, reply)) in codes::replies(&described.codes) {
            refuse(&mut operation, status, &name);
            replies.insert(name, reply);
        }
        components = components.schemas_from_iter(described.schemas.clone());
        paths.add_path_operation(&route.path, vec![word(&route.method)], operation);
    }
    let components = components.responses_from_iter(replies).build();
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new()
        .title("The Smartbox Platform")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(license))
        .build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build()
}

/// A reply that the operation describes itself stays.
fn refuse(operation: &mut Operation, status: u16, name: &str) {
    let reply = RefOr::Ref(Ref::from_response_name(name));
    operation.responses.responses.entry(status.to_string()).or_insert(reply);
}

fn word(method: &Method) -> HttpMethod {
    match *method {
        Method::PUT => HttpMethod::Put,
        Method::POST => HttpMethod::Post,
        Method::DELETE => HttpMethod::Delete,
        Method::PATCH => HttpMethod::Patch,
        _ => HttpMethod::Get,
    }
}

fn security(policy: Policy) -> Vec<SecurityRequirement> {
    let none: [&str; 0] = [];
    match policy {
        Policy::Public => Vec::new(),
        // The original's calls are pages to the document: they have one of their own.
        Policy::Admin => vec![SecurityRequirement::new("bearer", none)],
        Policy::Session(_) | Policy::Browser => vec![SecurityRequirement::new("session", none)],
        Policy::Operator(_) => vec![SecurityRequirement::new("bearer", none)],
        Policy::Api(_) => vec![
            SecurityRequirement::new("bearer", none),
            SecurityRequirement::new("session", none),
        ],
    }
}

fn bearer() -> SecurityScheme {
    let mut http = Http::new(HttpAuthScheme::Bearer);
    http.description = Some("A token of the API, or the master token.".into());
    SecurityScheme::Http(http)
}

fn session() -> SecurityScheme {
    let what = "A browser's session on the platform's own origin; the name ends with the port.";
    let value = ApiKeyValue::with_description("smartbox", what);
    SecurityScheme::ApiKey(ApiKey::Cookie(value))
}
