//! `POST /api/v1/egress/rules`: allows or refuses something.

use std::time::Duration;

use axum::extract::State;
use http::StatusCode;
use smartbox_api::egress::{EgressRuleView, NewEgressRule};
use smartbox_api::problem::Code;
use smartbox_control::NewRule;
use smartbox_core::egress::{Effect, PathPattern, Pattern, Rule, What};

use super::{scope, view};
use crate::app::App;
use crate::http::body::Json;
use crate::http::principal::Principal;
use crate::http::trouble::Trouble;

/// Allows or refuses something for a box, or for every box of the account. It counts at once, on
/// connections that are open too. The same rule again is the one that is there.
#[utoipa::path(
    post,
    path = "/api/v1/egress/rules",
    tag = "egress",
    request_body = NewEgressRule,
    responses((status = 201, body = EgressRuleView, description = "It counts.")),
)]
pub(super) async fn add(
    State(app): State<App>,
    who: Principal,
    Json(new): Json<NewEgressRule>,
) -> Result<(StatusCode, axum::Json<EgressRuleView>), Trouble> {
    let (scope, account) = scope(&app, &who, new.smartbox.as_deref()).await?;
    let now = app.clock.now();
    let rule = NewRule {
        effect: new.effect.unwrap_or(Effect::Allow),
        until: new.for_ms.map(|ms| now.plus(Duration::from_millis(ms))),
        once: new.once,
        what: what(new)?,
    };
    let kept = app.control.add_egress(&who.actor, &account, scope, rule).await?;
    Ok((StatusCode::CREATED, axum::Json(view(kept))))
}

fn what(new: NewEgressRule) -> Result<What, Trouble> {
    let bad = |why: String, hint: &'static str| Trouble::new(Code::BadRequest, why, hint);
    let narrowed = !(new.ports.is_empty() && new.methods.is_empty() && new.paths.is_empty());
    match (new.host, new.preset) {
        (None, Some(name)) if !narrowed => Ok(What::Preset(name)),
        (None, Some(_)) => Err(bad(
            "a preset has its own ports, methods and paths".into(),
            "name a host to say them yourself",
        )),
        (Some(host), None) => {
            let rule = rule(&host, new.ports, new.methods, &new.paths)?;
            Ok(What::Rule(rule))
        }
        _ => Err(bad(
            "a rule is about a `host` or about a `preset`".into(),
            "give one of the two; GET /api/v1/egress/presets lists the presets",
        )),
    }
}

/// A rule as it is asked for.
pub(in crate::http) fn rule(
    host: &str,
    ports: Vec<u16>,
    methods: Vec<String>,
    paths: &[String],
) -> Result<Rule, Trouble> {
    let bad = |why: String, hint: &'static str| Trouble::new(Code::BadRequest, why, hint);
    let hint = "write example.com, *.example.com or *";
    let host = Pattern::parse(host).map_err(|e| bad(e.to_string(), hint))?;
    let path = |path: &String| {
        PathPattern::parse(path).map_err(|e| bad(e.to_string(), "write a path like /v1/**"))
    };
    let paths = paths.iter().map(path).collect::<Result<_, _>>()?;
    let rule = Rule { host, ports, methods, paths };
    rule.check().map_err(|e| bad(e.to_string(), "correct the rule"))?;
    Ok(rule)
}
