//! `GET /api/v1/boxes`: every box of the account, by name. Wakes nothing.

use axum::Json;
use axum::extract::State;
use smartbox_api::smartbox::SmartboxView;
use smartbox_core::route::port::Resolve;
use smartbox_core::smartbox::State as BoxState;

use super::view;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
) -> Result<Json<Vec<SmartboxView>>, Trouble> {
    let mut views = Vec::new();
    for row in app.control.list(&who.account).await? {
        let phase = match row.state {
            BoxState::Starting => {
                app.control.route(&row.label).await?.map(|route| route.phase).unwrap_or_default()
            }
            _ => String::new(),
        };
        views.push(view::row(row, phase, &app.site));
    }
    Ok(Json(views))
}
