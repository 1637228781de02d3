//! `POST /api/v1/imports/bucket`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use smartbox_api::moves::{BucketImport, Imported};
use smartbox_api::problem::Code;
use smartbox_control::{NewImport, Source};
use smartbox_core::smartbox::Desired;

use super::{kind, move_in};
use crate::app::App;
use crate::buckets::{NoBucket, Wanted};
use crate::http::body;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Makes a box of what lies in a bucket: all of it or nothing.
///
/// The layouts are those of `POST /api/v1/imports`. The bucket is only listed and read. An operator alone
/// may ask: the platform goes to the server that the request names. The new box is turned off.
#[utoipa::path(
    post,
    path = "/api/v1/imports/bucket",
    operation_id = "import_bucket",
    tag = "moves",
    request_body = BucketImport,
    responses((status = 201, body = Imported, description = "The box, and what came along.")),
)]
pub(super) async fn import(
    State(app): State<App>,
    who: Principal,
    body::Json(from): body::Json<BucketImport>,
) -> Result<(StatusCode, Json<Imported>), Trouble> {
    let kind = kind(from.kind)?;
    let wanted = Wanted {
        bucket: from.bucket,
        endpoint: from.endpoint,
        region: from.region,
        keys: from.key.map(|key| (key.id, key.secret)),
    };
    let now = app.clock.now();
    let bucket = app.buckets.open(&who.actor.0, who.account()?, wanted, now).await?;
    let new = NewImport {
        name: from.name,
        kind,
        tier: None,
        engine: None,
        desired: Desired::Off,
        within: from.within.unwrap_or_default(),
        source: Source::Bucket { bucket, prefix: from.prefix.unwrap_or_default() },
    };
    move_in(&app, &who, new).await
}

impl From<NoBucket> for Trouble {
    fn from(error: NoBucket) -> Self {
        match error {
            NoBucket::Refused { why, hint } => Self::new(Code::Refused, why, hint),
            NoBucket::Store(error) => error.into(),
            NoBucket::Driver(error) => Self::new(Code::Refused, error.to_string(), ""),
        }
    }
}
