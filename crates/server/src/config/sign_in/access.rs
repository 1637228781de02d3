//! `[sign_in.access]`: Cloudflare Access, by the original's two variables or by the file. A mistake here is
//! told and does not keep the platform from starting: it only signs nobody in.

use serde::Deserialize;
use smartbox_sign_in::{AccessSettings, Team};

use crate::config::env::Env;

/// The team, by the original's name.
pub const TEAM: &str = "CF_ACCESS_TEAM_DOMAIN";
/// The application's audience tag, by the original's name.
pub const AUD: &str = "CF_ACCESS_AUD";

/// Whether Cloudflare Access signs people in.
#[derive(Debug, Clone, Default)]
pub enum AccessChoice {
    /// Nobody asked for it.
    #[default]
    Off,
    /// It does.
    On(AccessSettings),
    /// It was asked for, and a setting is missing or wrong.
    Wrong {
        /// Which, and what to write.
        why: String,
    },
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    team_domain: Option<String>,
    aud: Option<String>,
}

pub(super) fn settle(file: &Written, env: &Env) -> AccessChoice {
    let said = |variable: &'static str, key: &'static str, written: &Option<String>| {
        let written = written.as_deref().map(str::trim).filter(|text| !text.is_empty());
        match (env.get(variable), written) {
            (Some(value), _) => Some((variable, value.to_owned())),
            (None, Some(value)) => Some((key, value.to_owned())),
            (None, None) => None,
        }
    };
    let team = said(TEAM, "sign_in.access.team_domain", &file.team_domain);
    let aud = said(AUD, "sign_in.access.aud", &file.aud);
    let lacks = |there: &str, variable: &str, key: &str, what: &str| AccessChoice::Wrong {
        why: format!("{there} is set, and {variable} (`{key}`) is not: it is {what}"),
    };
    let ((team_name, team), (aud_name, aud)) = match (team, aud) {
        (None, None) => return AccessChoice::Off,
        (Some((there, _)), None) => {
            let what = "the application's audience tag, on its page under Additional settings";
            return lacks(there, AUD, "sign_in.access.aud", what);
        }
        (None, Some((there, _))) => {
            let what = "the team's domain, like myteam.cloudflareaccess.com";
            return lacks(there, TEAM, "sign_in.access.team_domain", what);
        }
        (Some(team), Some(aud)) => (team, aud),
    };
    let settings = AccessSettings { team_domain: team, aud, base: None };
    let wrong = Team::parse(&settings.team_domain).map(drop).and_then(|()| settings.check());
    match wrong {
        Ok(()) => AccessChoice::On(settings),
        Err(error) => {
            let name = if error.setting == "aud" { aud_name } else { team_name };
            AccessChoice::Wrong { why: format!("{name} {}", error.why) }
        }
    }
}
