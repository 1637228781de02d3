//! `[[sign_in.grants]]`: what those are given who come by somebody else's word.

use serde::Deserialize;
use smartbox_core::person::{Gives, Right, Role, Rule, Whom};
use smartbox_sign_in::Team;

use super::{AccessChoice, OidcChoice};
use crate::config::error::ConfigError;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    email: Option<String>,
    email_domain: Option<String>,
    group: Option<String>,
    service: Option<String>,
    by: Option<String>,
    account: Option<String>,
    role: Option<String>,
    operator: Option<String>,
}

pub(super) fn settle(
    file: Vec<Written>,
    access: &AccessChoice,
    oidc: Option<&OidcChoice>,
) -> Result<Vec<Rule>, ConfigError> {
    let mut rules = Vec::new();
    for (at, written) in file.into_iter().enumerate() {
        let key = format!("sign_in.grants, number {}", at + 1);
        let bad = |why: String, hint: &str| ConfigError::value(key.clone(), why, hint);
        let issuer = match written.by.as_deref() {
            None => None,
            Some("oidc") => match oidc {
                Some(choice) => Some(choice.settings.issuer.clone()),
                None => return Err(bad("there is no `[sign_in.oidc]`".into(), NEEDED)),
            },
            Some("access") => match issuer_of(access) {
                // Access tells what is wrong with it in other places.
                Some(issuer) => Some(issuer),
                None => continue,
            },
            Some(other) => {
                return Err(bad(format!("`{other}` is neither `access` nor `oidc`"), NEEDED));
            }
        };
        let whom = whom(&written).map_err(|why| bad(why, WHOM))?;
        let gives = gives(&written).map_err(|why| bad(why, GIVES))?;
        rules.push(Rule { whom, issuer, gives });
    }
    Ok(rules)
}

const NEEDED: &str = "write `access` or `oidc`, whichever is set up, or leave it out for both";
const WHOM: &str = "write one of `email`, `email_domain`, `group` and `service`";
const GIVES: &str = "write `account` and `role` (owner, member or viewer), or `operator` (own, manage \
                     or read)";

fn issuer_of(access: &AccessChoice) -> Option<String> {
    let AccessChoice::On(settings) = access else { return None };
    Team::parse(&settings.team_domain).ok().map(|team| team.issuer().to_owned())
}

fn whom(written: &Written) -> Result<Whom, String> {
    let email = |text: &String| Whom::Email(text.trim().to_owned());
    let domain = |text: &String| Whom::Domain(text.trim().trim_start_matches('@').to_owned());
    let said: Vec<Whom> = [
        written.email.as_ref().map(email),
        written.email_domain.as_ref().map(domain),
        written.group.clone().map(Whom::Group),
        written.service.clone().map(Whom::Service),
    ]
    .into_iter()
    .flatten()
    .collect();
    let [whom] = <[Whom; 1]>::try_from(said).map_err(|said| match said.len() {
        0 => "it does not say whom it is about".to_owned(),
        _ => "it says in several ways whom it is about".to_owned(),
    })?;
    let good = match &whom {
        Whom::Email(text) => text.split('@').filter(|part| !part.is_empty()).count() == 2,
        // A whole country's domain would let in everybody there.
        Whom::Domain(text) => text.contains('.') && !text.contains(['@', '*', ' ']),
        Whom::Group(text) | Whom::Service(text) => !text.trim().is_empty(),
    };
    if good { Ok(whom) } else { Err("whom it is about is not an address, domain or name".into()) }
}

fn gives(written: &Written) -> Result<Gives, String> {
    match (&written.account, &written.role, &written.operator) {
        (Some(account), Some(role), None) => {
            let role = Role::parse(role).ok_or_else(|| format!("there is no role `{role}`"))?;
            Ok(Gives::Role(account.clone(), role))
        }
        (None, None, Some(word)) => match Right::parse(word) {
            Some(right) if right != Right::Chat => Ok(Gives::Operator(right)),
            _ => Err(format!("`{word}` is not how much an operator may")),
        },
        _ => Err("it does not say what is given, or says too much".to_owned()),
    }
}
