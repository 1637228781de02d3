//! `GET /_admin/`: what the platform has to say to whoever runs it. The address is the original's.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};
use smartbox_core::person::{Gives, Right};
use smartbox_core::store;

use super::render;
use crate::app::App;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

#[derive(Template)]
#[template(path = "admin.html")]
struct Admin {
    notes: Vec<String>,
    access: Option<String>,
    provider: Option<String>,
    grants: usize,
}

pub(super) async fn bare(State(app): State<App>, who: Principal) -> Result<Response, Trouble> {
    runs(&app, &who)?;
    Ok(Redirect::permanent("/_admin/").into_response())
}

/// Whoever runs the installation: an operator, or an owner of its first account. Other accounts have no
/// business with how people sign in.
fn runs(app: &App, who: &Principal) -> Result<(), Trouble> {
    if who.operates() || *who.account()? == app.account.id {
        return Ok(());
    }
    Err(Trouble::less(Right::Own))
}

pub(super) async fn admin(State(app): State<App>, who: Principal) -> Result<Html<String>, Trouble> {
    runs(&app, &who)?;
    let sign_in = &app.sign_in;
    let mut notes = sign_in.notes.clone();
    let named: BTreeSet<String> = sign_in
        .rules
        .iter()
        .filter_map(|rule| match &rule.gives {
            Gives::Role(account, _) => Some(account.clone()),
            Gives::Operator(_) => None,
        })
        .collect();
    let there = store::read(&*app.store, |tx| Box::pin(async move { tx.accounts().list().await }));
    let there: BTreeSet<String> = there.await?.into_iter().map(|account| account.name).collect();
    notes.extend(named.difference(&there).map(|name| {
        format!("`[[sign_in.grants]]` gives something in the account `{name}`, which there is none")
    }));
    Ok(render::page(&Admin {
        notes,
        access: sign_in.access.as_ref().map(|access| access.team().issuer().to_owned()),
        provider: sign_in.provider.as_ref().map(|provider| provider.name.clone()),
        grants: sign_in.rules.len(),
    }))
}
