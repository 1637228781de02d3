//! `POST /boxes/{name}/egress`: a button of the page. The same calls as those of the API, and then the
//! page again.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Redirect;
use serde::Deserialize;
use smartbox_api::problem::Code;
use smartbox_control::{ControlError, NewRule};
use smartbox_core::egress::{Effect, Host, Pattern, Rule, Scope, What, is_preset};
use smartbox_core::time::Timestamp;

use crate::app::App;
use crate::http::body::Form;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

const HOUR: Duration = Duration::from_hours(1);

/// What the button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verb {
    Once,
    Hour,
    Good,
    Deny,
    Remove,
}

/// A form of the page. What it is about is one of the others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    verb: Verb,
    /// A host that was seen, with its port: itself, and no pattern.
    host: Option<String>,
    port: Option<u16>,
    /// What a person wrote: hosts in the short form, or the name of a preset.
    text: Option<String>,
    /// A rule that is there.
    rule: Option<String>,
    /// Whether the rule is one for all boxes of the account.
    #[serde(default)]
    all: bool,
}

pub(super) async fn change(
    State(app): State<App>,
    who: Principal,
    Path(name): Path<String>,
    Form(wanted): Form<Wanted>,
) -> Result<Redirect, Trouble> {
    let row = app.control.find(&who, &name).await?;
    let page = format!("/boxes/{}/egress", row.name);
    let own = Scope::Smartbox(row.id);
    if wanted.verb == Verb::Remove {
        let scope = if wanted.all { Scope::Account(row.account.clone()) } else { own };
        let id = wanted.rule.as_deref().unwrap_or_default().parse();
        let id = id.map_err(|_| Trouble::missing("rule"))?;
        match app.control.remove_egress(&who.actor, &row.account, scope, id).await {
            // It ended by itself, or somebody was faster: what was wanted is so.
            Ok(()) | Err(ControlError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        return Ok(Redirect::to(&format!("{page}#rules")));
    }
    let rule = rule(wanted, app.clock.now())?;
    app.control.add_egress(&who.actor, &row.account, own, rule).await?;
    Ok(Redirect::to(&page))
}

/// The rule that is wanted.
fn rule(wanted: Wanted, now: Timestamp) -> Result<NewRule, Trouble> {
    let bad = |why: String| {
        let hint = "write a host like example.com or *.example.com:443,8443";
        Trouble::new(Code::BadRequest, why, hint)
    };
    let what = match (wanted.host, wanted.port, wanted.text) {
        (Some(host), Some(port), None) => {
            let host = Host::parse(&host).map_err(|error| bad(error.to_string()))?;
            let rule = Rule { ports: vec![port], ..Rule::of(Pattern::One(host)) };
            rule.check().map_err(|error| bad(error.to_string()))?;
            What::Rule(rule)
        }
        (None, None, Some(text)) => {
            let text = text.trim();
            let text = text.strip_prefix("https://").unwrap_or(text).trim_end_matches('/');
            if is_preset(text) {
                What::Preset(text.to_owned())
            } else {
                What::Rule(Rule::parse(text).map_err(|error| bad(error.to_string()))?)
            }
        }
        _ => return Err(bad("no host was named".into())),
    };
    Ok(NewRule {
        effect: if wanted.verb == Verb::Deny { Effect::Deny } else { Effect::Allow },
        what,
        until: (wanted.verb == Verb::Hour).then(|| now.plus(HOUR)),
        once: wanted.verb == Verb::Once,
    })
}
