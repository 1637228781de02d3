//! `ETag` and `If-Match`: who changes a thing says which revision of it they have seen, and a change
//! that somebody else made in between is not lost.
//!
//! Without `If-Match` a change is made whatever is there. A comparison is strong: a weak tag matches
//! nothing. The comparison belongs into the unit of work that makes the change.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponseParts, ResponseParts};
use http::HeaderValue;
use http::header::{ETAG, IF_MATCH};
use http::request::Parts;
use smartbox_api::problem::Code;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, RefOr, Required, Schema, Type};

use super::trouble::Trouble;

/// The longest `If-Match` that is read.
const MAX: usize = 1024;

/// The revision of what is answered: an `ETag` on the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Revision(pub(super) u64);

impl IntoResponseParts for Revision {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        if let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", self.0)) {
            parts.headers_mut().insert(ETAG, tag);
        }
        Ok(parts)
    }
}

/// Which revisions the asker has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum IfMatch {
    /// They did not say: any, and none.
    Unsaid,
    /// `*`: any, but there must be one.
    Some,
    /// One of these.
    These(Vec<String>),
}

impl IfMatch {
    /// Whether a change may be made of what is there: its revision, or `None` if nothing is.
    pub(super) fn allows(&self, there: Option<u64>) -> bool {
        match (self, there) {
            (Self::Unsaid, _) | (Self::Some, Some(_)) => true,
            (Self::Some | Self::These(_), None) => false,
            (Self::These(tags), Some(revision)) => {
                let tag = format!("\"{revision}\"");
                tags.contains(&tag)
            }
        }
    }

    /// Of the revision that was just read: the one that must still be there when the change is
    /// made, none if any will do.
    pub(super) fn expect(&self, there: u64) -> Result<Option<u64>, Trouble> {
        if !self.allows(Some(there)) {
            return Err(Self::failed());
        }
        Ok((*self != Self::Unsaid).then_some(there))
    }

    /// The refusal of a change that [`Self::allows`] does not.
    pub(super) fn failed() -> Trouble {
        Trouble::new(
            Code::PreconditionFailed,
            "somebody else has changed it since you looked",
            "look again, and send the change with the new `ETag` in `If-Match`",
        )
    }
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new().schema_type(Type::String).max_length(Some(MAX));
        let what = "The `ETag`s that the caller has seen, or `*`; without it the change is made \
                    whatever is there.";
        vec![
            ParameterBuilder::new()
                .name("If-Match")
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some(what))
                .schema(Some(RefOr::T(Schema::Object(schema.build()))))
                .build(),
        ]
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Trouble> {
        let lines: Vec<&[u8]> =
            parts.headers.get_all(IF_MATCH).into_iter().map(HeaderValue::as_bytes).collect();
        if lines.is_empty() {
            return Ok(Self::Unsaid);
        }
        let text = String::from_utf8(lines.join(&b','));
        text.ok().and_then(|text| read(&text)).ok_or_else(|| {
            let hint = "send the `ETag` as it came, quotes included, or `*`";
            Trouble::new(Code::BadRequest, "`If-Match` is not a list of entity tags", hint)
        })
    }
}

fn read(text: &str) -> Option<IfMatch> {
    if text.trim() == "*" {
        return Some(IfMatch::Some);
    }
    // Our own tags have no commas, and others match nothing.
    let tags = text.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    let tags: Vec<String> = tags.map(str::to_owned).collect();
    let good = |tag: &String| {
        let opaque = tag.strip_prefix("W/").unwrap_or(tag);
        opaque.len() >= 2 && opaque.starts_with('"') && opaque.ends_with('"')
    };
    (text.len() <= MAX && !tags.is_empty() && tags.iter().all(good)).then_some(IfMatch::These(tags))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(lines: &[&str]) -> Result<IfMatch, Trouble> {
        let mut request = http::Request::builder();
        for line in lines {
            request = request.header(IF_MATCH, *line);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        IfMatch::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn only_the_revision_that_was_seen_is_changed() {
        for (lines, there, want) in [
            (&[][..], Some(3), true),
            (&[], None, true),
            (&["*"], Some(3), true),
            (&["*"], None, false),
            (&["\"3\""], Some(3), true),
            (&["\"3\""], Some(4), false),
            (&["\"3\""], None, false),
            (&["\"2\", \"3\""], Some(3), true),
            (&["\"2\"", "\"3\""], Some(3), true),
            // A weak tag promises too little.
            (&["W/\"3\""], Some(3), false),
        ] {
            assert_eq!(said(lines).await.unwrap().allows(there), want, "{lines:?} {there:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_tag_is_refused() {
        let long = format!("\"{}\"", "x".repeat(MAX));
        for lines in [&["3"][..], &[""], &["\""], &["*, \"3\""], &[&long]] {
            assert!(said(lines).await.is_err(), "{lines:?}");
        }
    }
}
