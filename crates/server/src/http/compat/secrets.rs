//! `/api/admin/secrets`: the original's seven secrets of one's own account, in its masked form.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use serde::Serialize;
use smartbox_api::problem::Code;
use smartbox_api::secret::MAX_VALUE;
use smartbox_core::audit::Act;
use smartbox_core::secret::{Scope, Secret};
use smartbox_core::store;

use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Those that the original's page knew.
const KNOWN: [&str; 7] = [
    "TELEGRAM_BOT_TOKEN",
    "DISCORD_BOT_TOKEN",
    "SLACK_BOT_TOKEN",
    "SLACK_APP_TOKEN",
    "ANTHROPIC_API_KEY",
    "OPENAI_API_KEY",
    "CAPTAINAPP_API_KEY",
];

/// Of a shorter value nothing is shown: the original showed eight of nine characters.
const SHOWN_FROM: usize = 20;

#[derive(Serialize)]
pub(super) struct Listed {
    secrets: BTreeMap<&'static str, Option<String>>,
    configured: Vec<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Changed {
    success: bool,
    #[serde(flatten)]
    listed: Listed,
    message: &'static str,
}

#[derive(Serialize)]
pub(super) struct Removed {
    success: bool,
    message: String,
}

pub(super) async fn list(
    State(app): State<App>,
    who: Principal,
) -> Result<axum::Json<Listed>, Trouble> {
    Ok(axum::Json(listed(&app, &who).await?))
}

async fn listed(app: &App, who: &Principal) -> Result<Listed, Trouble> {
    let scope = Scope::Account(who.account()?.clone());
    let secrets = store::read(&*app.store, |tx| {
        Box::pin(async move {
            let mut masked_all = BTreeMap::new();
            for name in KNOWN {
                let value = tx.secrets().open(scope.clone(), name.to_owned()).await?;
                masked_all.insert(name, value.map(|value| masked(value.expose())));
            }
            Ok(masked_all)
        })
    })
    .await?;
    let configured = KNOWN.into_iter().filter(|name| secrets[name].is_some()).collect();
    Ok(Listed { secrets, configured })
}

/// Its first and last four characters, if that gives little away.
fn masked(value: &str) -> String {
    let chars: Vec<char> = value.chars().collect();
    if chars.len() < SHOWN_FROM {
        return "****".into();
    }
    let text = |part: &[char]| part.iter().collect::<String>();
    format!("{}****{}", text(&chars[..4]), text(&chars[chars.len() - 4..]))
}

/// An empty value, or null, removes.
pub(super) async fn put(
    State(app): State<App>,
    who: Principal,
    Json(wanted): Json<BTreeMap<String, Option<String>>>,
) -> Result<axum::Json<Changed>, Trouble> {
    let mut changes = Vec::new();
    for (name, value) in wanted {
        let name = known(&name)?;
        let value = value.filter(|value| !value.is_empty()).map(Secret::new);
        if value.as_ref().is_some_and(|value| value.expose().len() > MAX_VALUE) {
            return Err(Trouble::too_large(MAX_VALUE));
        }
        changes.push((name, value));
    }
    change(&app, &who, changes).await?;
    let listed = listed(&app, &who).await?;
    let message = "model keys are used from now on; bound ones from the next request";
    Ok(axum::Json(Changed { success: true, listed, message }))
}

pub(super) async fn remove(
    State(app): State<App>,
    who: Principal,
    Path(key): Path<String>,
) -> Result<axum::Json<Removed>, Trouble> {
    let name = known(&key)?;
    change(&app, &who, vec![(name, None)]).await?;
    Ok(axum::Json(Removed { success: true, message: format!("{name} is forgotten") }))
}

fn known(name: &str) -> Result<&'static str, Trouble> {
    KNOWN.into_iter().find(|known| *known == name).ok_or_else(|| {
        let hint = "`PUT /api/v1/secrets/{name}` keeps any secret";
        Trouble::new(Code::BadRequest, "this is none of the seven secrets of this call", hint)
    })
}

/// All of them or none, with a line in the audit each.
async fn change(
    app: &App,
    who: &Principal,
    changes: Vec<(&'static str, Option<Secret<String>>)>,
) -> Result<(), Trouble> {
    let (account, actor, at) = (who.account()?.clone(), who.actor.0.clone(), app.clock.now());
    let work = app.control.change_secrets(
        move |tx| {
            Box::pin(async move {
                for (name, value) in changes {
                    let scope = Scope::Account(account.clone());
                    let action = match value {
                        Some(value) => {
                            tx.secrets().set(scope, name.to_owned(), value).await?;
                            "secret.set"
                        }
                        None if tx.secrets().remove(scope, name.to_owned()).await? => {
                            "secret.remove"
                        }
                        None => continue,
                    };
                    let (account, actor) = (account.clone(), actor.clone());
                    let (action, detail) = (action.to_owned(), name.to_owned());
                    let act = Act { account, actor, action, smartbox: None, detail, at };
                    tx.audit().append(act).await?;
                }
                Ok(())
            })
        },
        |()| true,
    );
    Ok(work.await?)
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn little_is_shown_of_a_secret_and_nothing_of_a_short_one() {
        assert_eq!(masked("123456789"), "****");
        assert_eq!(masked("sk-ant-0123456789abcdef"), "sk-a****cdef");
        assert_eq!(masked("ääääöööööööööööööüüü"), "ääää****öüüü");
    }
}
