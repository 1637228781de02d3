//! `GET /_admin/`. Wakes nothing, changes nothing.

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use serde::Deserialize;
use smartbox_core::device::State as Stands;

use super::{notices, on_behalf, runs};
use crate::app::App;
use crate::http::body::Query;
use crate::http::device::most;
use crate::http::page::device::{Done, Line, Names};
use crate::http::page::filters;
use crate::http::page::render;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Lines of each list.
const LINES: usize = 100;
/// Accounts that are offered by name.
const ACCOUNTS: usize = 200;

#[derive(Template)]
#[template(path = "admin.html")]
struct Page {
    done: Option<&'static str>,
    /// The account that an operator looks after; empty if it is their own.
    account: String,
    /// Those that an operator may look after.
    accounts: Option<Vec<String>>,
    devices: Option<Devices>,
    sign_in: Option<SignIn>,
}

/// Those of one account.
struct Devices {
    waiting: Vec<Line>,
    let_in: Vec<Line>,
    shut_out: Vec<Line>,
    /// Those that the lists leave out.
    more: usize,
}

/// How people sign in.
struct SignIn {
    /// What does not work.
    notices: Vec<String>,
    /// What could be better about where snapshots are.
    storage: Option<String>,
    access: Option<String>,
    provider: Option<String>,
    grants: usize,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    account: Option<String>,
    done: Option<String>,
}

pub(super) async fn show(
    State(app): State<App>,
    who: Principal,
    Query(asked): Query<Asked>,
) -> Result<Html<String>, Trouble> {
    let sign_in = if runs(&app, &who) { Some(sign_in(&app).await?) } else { None };
    let accounts = if who.operates() { Some(accounts(&app).await?) } else { None };
    let (who, account) = on_behalf(&app, who, asked.account.as_deref()).await?;
    let devices = match who.account() {
        Ok(_) => Some(devices(&app, &who).await?),
        // Nothing of an account's is theirs, and something of the installation's is.
        Err(_) if sign_in.is_some() || accounts.is_some() => None,
        Err(refused) => return Err(refused),
    };
    Ok(render::page(&Page {
        done: asked.done.as_deref().and_then(Done::said),
        account: account.unwrap_or_default(),
        accounts,
        devices,
        sign_in,
    }))
}

async fn devices(app: &App, who: &Principal) -> Result<Devices, Trouble> {
    let (account, most, now) = (who.account()?, most(who)?, app.clock.now());
    let names = Names::of(app, account).await?;
    let (mut waiting, mut let_in, mut shut_out) = (Vec::new(), Vec::new(), Vec::new());
    for device in app.access.devices(account).await? {
        let waits = device.waits(now);
        match device.state {
            _ if waits => waiting.push(Line::of(&device, most, now, &names)),
            Stands::Approved => let_in.push(Line::of(&device, most, now, &names)),
            Stands::Rejected | Stands::Revoked => {
                shut_out.push(Line::of(&device, most, now, &names));
            }
            // It asked, and nobody answered in time: the next sweep forgets it.
            Stands::Pending => {}
        }
    }
    let more = [&let_in, &shut_out].iter().map(|list| list.len().saturating_sub(LINES)).sum();
    let_in.truncate(LINES);
    shut_out.truncate(LINES);
    Ok(Devices { waiting, let_in, shut_out, more })
}

async fn accounts(app: &App) -> Result<Vec<String>, Trouble> {
    let all = app.control.accounts().await?;
    Ok(all.into_iter().take(ACCOUNTS).map(|account| account.name).collect())
}

async fn sign_in(app: &App) -> Result<SignIn, Trouble> {
    let sign_in = &app.sign_in;
    Ok(SignIn {
        notices: notices::wrong(app).await?,
        storage: notices::storage(app),
        access: sign_in.access.as_ref().map(|access| access.team().issuer().to_owned()),
        provider: sign_in.provider.as_ref().map(|provider| provider.name.clone()),
        grants: sign_in.rules.len(),
    })
}
