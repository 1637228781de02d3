//! `GET /api/v1/audit`: an account's audit as lines, of which the last vouches for those before.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::CONTENT_TYPE;
use smartbox_api::audit::{AuditBegin, AuditLine, AuditQuery, LINES};
use smartbox_core::audit::Entry;
use smartbox_core::id::AccountId;
use smartbox_core::person::Right;
use smartbox_core::store::{self, StoreError};

use super::body::Query;
use super::principal::Principal;
use super::route::{Policy, Route, SMALL, routes};
use super::trouble::Trouble;
use crate::app::App;

/// How many entries are held at once.
const PAGE: u32 = 500;
/// The hash before the first entry.
const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

pub(super) fn routes() -> Vec<Route> {
    vec![Route::api(routes!(get), Policy::Api(Right::Own), SMALL, &[])]
}

/// The account's audit: who did what to which box, from where, with which result.
///
/// Each line of the reply is a JSON document: where it begins, the entries, and the signed end, which
/// vouches for all of them. `smartbox audit verify` checks a file of them without any platform.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    tag = "audit",
    params(AuditQuery),
    responses((status = 200, body = AuditLine, content_type = "application/x-ndjson",
        description = "Lines, the oldest entry first.")),
)]
async fn get(
    State(app): State<App>,
    who: Principal,
    Query(which): Query<AuditQuery>,
) -> Result<Response, Trouble> {
    let account = who.account()?.clone();
    let id = account.clone();
    let (head, after, before) = store::read(&*app.store, move |tx| {
        Box::pin(async move {
            let head = tx.audit().head(id.clone()).await?;
            let last = which.last.map(|last| head.seq.saturating_sub(last));
            let after = which.after.unwrap_or(0).max(last.unwrap_or(0)).min(head.seq);
            let before = match after.checked_sub(1) {
                Some(before) => tx.audit().list(id, before, 1).await?.pop(),
                None => None,
            };
            Ok((head, after, before))
        })
    })
    .await?;
    let hash = before.map_or_else(|| START.to_owned(), |entry| entry.hash);
    let begin = AuditBegin { version: 1, account: account.clone(), after, hash };
    let last = head.seq;
    let entries = stream::try_unfold(after, move |at| {
        let (app, account) = (app.clone(), account.clone());
        async move {
            if at >= last {
                return Ok::<_, StoreError>(None);
            }
            let page = page(&app, account, at, last).await?;
            let next = page.last().map_or(last, |entry| entry.seq);
            let mut text = Vec::new();
            for entry in page {
                text.extend(written(&AuditLine::Entry(entry.into())));
            }
            Ok(Some((Bytes::from(text), next)))
        }
    });
    let begin = Ok(Bytes::from(written(&AuditLine::Begin(begin))));
    let head = Ok(Bytes::from(written(&AuditLine::Head(head.into()))));
    let body = stream::iter([begin]).chain(entries).chain(stream::iter([head]));
    Ok(([(CONTENT_TYPE, LINES)], Body::from_stream(body)).into_response())
}

async fn page(app: &App, account: AccountId, at: u64, last: u64) -> Result<Vec<Entry>, StoreError> {
    let mut page = store::read(&*app.store, move |tx| {
        Box::pin(async move { tx.audit().list(account, at, PAGE).await })
    })
    .await?;
    // What came meanwhile is behind the end that was signed.
    page.retain(|entry| entry.seq <= last);
    Ok(page)
}

fn written(line: &AuditLine) -> Vec<u8> {
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    text
}
