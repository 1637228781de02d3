//! `GET /api/super/users`: the accounts, and the PA box that each call of one means.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use smartbox_core::account::Account;
use smartbox_core::smartbox::Smartbox;

use crate::app::App;
use crate::http::trouble::Trouble;

/// A user, as the original listed them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    id: String,
    name: String,
    full_name: String,
    agent_name: String,
    status: &'static str,
}

/// All of them.
#[derive(Serialize)]
pub(super) struct Users {
    users: Vec<User>,
    total: usize,
    active: usize,
}

impl User {
    fn of(account: Account) -> Self {
        let name = account.name.clone();
        Self {
            id: account.id.to_string(),
            name,
            full_name: account.name,
            agent_name: "pa".into(),
            status: "active",
        }
    }
}

pub(super) async fn list(State(app): State<App>) -> Result<Json<Users>, Trouble> {
    let users: Vec<User> = app.control.accounts().await?.into_iter().map(User::of).collect();
    let (total, active) = (users.len(), users.iter().filter(|u| u.status == "active").count());
    Ok(Json(Users { users, total, active }))
}

pub(super) async fn lookup(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Json<User>, Trouble> {
    Ok(Json(User::of(app.control.account(&name).await?)))
}

/// The account with this name or id, and its PA box.
pub(super) async fn pa(app: &App, id: &str) -> Result<(Account, Smartbox), Trouble> {
    let account = app.control.account(id).await?;
    let found = app.control.find(&account.id, &format!("openclaw-{}", account.id)).await?;
    Ok((account, found))
}
