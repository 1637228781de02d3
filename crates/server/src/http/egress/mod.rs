//! What may leave boxes, and what did.

pub(super) mod add;
mod list;
mod presets;
mod remove;
mod uses;

use smartbox_api::egress::EgressRuleView;
use smartbox_api::problem::Code;
use smartbox_core::egress::{Kept, Rule, Scope, Source, What};
use smartbox_core::id::AccountId;
use smartbox_core::person::Right;

use super::codes;
use super::principal::{Principal, whose};
use super::route::{Policy, Route, SMALL, routes};
use super::trouble::Trouble;
use crate::app::App;

/// Of a rule that is wanted, for a box that may not be there.
const WANTED: &[Code] = &[Code::NotFound, Code::Refused];

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::api(routes!(list::list), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
        Route::api(routes!(add::add), Policy::Api(Right::Manage), SMALL, WANTED),
        Route::api(routes!(remove::remove), Policy::Api(Right::Manage), SMALL, codes::OF_ONE),
        Route::api(routes!(presets::presets), Policy::Api(Right::Read), SMALL, &[]),
        Route::api(routes!(uses::uses), Policy::Api(Right::Read), SMALL, codes::OF_ONE),
    ]
}

/// Whose rules: one box's, or the account's; and the account in whose audit it stands.
async fn scope(
    app: &App,
    who: &Principal,
    of: Option<&str>,
) -> Result<(Scope, AccountId), Trouble> {
    let (smartbox, account) = whose(app, who, of).await?;
    Ok((smartbox.map_or_else(|| Scope::Account(account.clone()), Scope::Smartbox), account))
}

/// A kept rule as it is shown.
fn view(kept: Kept) -> EgressRuleView {
    let source = match kept.scope {
        Scope::Account(_) => Source::Account,
        Scope::Smartbox(_) => Source::Smartbox,
    };
    EgressRuleView {
        id: Some(kept.id),
        effect: kept.effect,
        until: kept.until,
        once: kept.once,
        added: Some(kept.added),
        ..given(source, kept.what)
    }
}

/// A rule that nobody added.
fn given(source: Source, what: What) -> EgressRuleView {
    let (rule, preset) = match what {
        What::Rule(rule) => (Some(rule), None),
        What::Preset(name) => (None, Some(name)),
    };
    let ports = rule.as_ref().map_or(&[][..], Rule::ports).to_vec();
    let (host, methods, paths) = match rule {
        Some(Rule { host, methods, paths, .. }) => (Some(host), methods, paths),
        None => (None, Vec::new(), Vec::new()),
    };
    EgressRuleView {
        id: None,
        source,
        effect: smartbox_core::egress::Effect::Allow,
        host,
        preset,
        ports,
        methods,
        paths,
        until: None,
        once: false,
        added: None,
    }
}
