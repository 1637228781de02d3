//! Placeholders in the path and in the query.

use std::ops::Range;

use percent_encoding::percent_decode;
use smartbox_core::egress::Place;

use super::plan::{At, Look, Put};
use super::refusal::{Refusal, Spot};
use crate::forms::Span;

pub(super) fn puts(look: &Look<'_>) -> Result<Vec<Put>, Refusal> {
    let Some(target) = look.head.uri.path_and_query() else { return Ok(Vec::new()) };
    let path = target.path().len();
    let text = target.as_str().as_bytes();
    let mut puts = Vec::new();
    for span in look.spans(text) {
        if let Some(put) =
            puts.last().and_then(|put: &Put| at(put)).filter(|at| span.start < at.end)
        {
            // Told again as a part of what was just planned, or reaching beyond it.
            if span.end <= put.end {
                continue;
            }
        }
        let put = if span.end <= path {
            in_path(look, &text[..path], span)
        } else if span.start > path {
            in_query(look, text, path + 1, span)
        } else {
            None
        };
        let spot = if span.start < path { Spot::Path } else { Spot::Query };
        puts.push(put.ok_or_else(|| look.misplaced(span.of, spot))?);
    }
    Ok(puts)
}

fn at(put: &Put) -> Option<&Range<usize>> {
    match &put.at {
        At::Target(at, _) => Some(at),
        At::Header(..) | At::Basic { .. } => None,
    }
}

/// Whether this is the placeholder, plain or with escapes of percent, and no other form of it.
fn is_it(look: &Look<'_>, text: &[u8], of: usize) -> bool {
    let decoded: Vec<u8> = percent_decode(text).collect();
    look.swap.known.find(&decoded) == Some(of)
}

fn in_path(look: &Look<'_>, path: &[u8], span: Span) -> Option<Put> {
    if !is_it(look, &path[span.start..span.end], span.of) {
        return None;
    }
    let ends = path.get(span.end).is_none_or(|byte| *byte == b'/');
    let secret = look.bound(span.of, |place| match place {
        Place::Path { before } => ends && path[..span.start] == *before.as_bytes(),
        _ => false,
    })?;
    Some(Put { secret, at: At::Target(span.start..span.end, Spot::Path) })
}

fn in_query(look: &Look<'_>, text: &[u8], query: usize, span: Span) -> Option<Put> {
    let start =
        text[query..span.start].iter().rposition(|b| *b == b'&').map_or(query, |at| query + at + 1);
    let end =
        text[span.end..].iter().position(|b| *b == b'&').map_or(text.len(), |at| span.end + at);
    let equals = start + text[start..end].iter().position(|b| *b == b'=')?;
    let value = equals + 1..end;
    if span.start < value.start || !is_it(look, &text[value.clone()], span.of) {
        return None;
    }
    let name: Vec<u8> =
        text[start..equals].iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    let name: Vec<u8> = percent_decode(&name).collect();
    let secret = look.bound(span.of, |place| match place {
        Place::Query { name: wanted } => wanted.as_bytes() == name,
        _ => false,
    })?;
    Some(Put { secret, at: At::Target(value, Spot::Query) })
}
