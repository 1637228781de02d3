//! Environment variables of the project that this one descends from: its gateway's pair, and those
//! whose feature is still to come. What became a setting of ours is read where that setting is.

use smartbox_core::secret::Secret;

use super::env::Env;
use super::error::ConfigError;
use super::http::Http;

/// The key of a gateway before the provider.
pub const GATEWAY_KEY: &str = "AI_GATEWAY_API_KEY";
/// Its address; at its end stands whose protocol it speaks.
pub const GATEWAY_URL: &str = "AI_GATEWAY_BASE_URL";

/// `true`: nobody needs a token to sign in.
pub const DEV_MODE: &str = "DEV_MODE";

/// Whether nobody needs a token: only where nobody but this machine can come in.
pub(crate) fn dev_mode(env: &Env, http: &Http) -> Result<bool, ConfigError> {
    match env.get(DEV_MODE) {
        None | Some("false") => return Ok(false),
        Some("true") => {}
        Some(_) => {
            let why = "it is neither `true` nor `false`";
            return Err(ConfigError::value(DEV_MODE, why, "write `true`, or unset it"));
        }
    }
    let open = match &http.url {
        Some(url) => url.to_string(),
        None if !http.listen.ip().is_loopback() => http.listen.to_string(),
        None => return Ok(true),
    };
    let why = format!("nobody would need a token, and {open} can be reached by others");
    let hint = "listen on 127.0.0.1 and set no `http.url`, or unset DEV_MODE";
    Err(ConfigError::value(DEV_MODE, why, hint))
}

/// A gateway in a provider's place.
#[derive(Debug)]
pub(crate) struct Gateway {
    /// Whose place it takes.
    pub(crate) provider: &'static str,
    /// The name under which that provider's key is known.
    pub(crate) secret: &'static str,
    pub(crate) key: Secret<String>,
    pub(crate) url: String,
}

/// The gateway that the environment names. As in the original it wins over the provider's own
/// variables, and an address that ends in `/openai` speaks that protocol, any other Anthropic's.
pub(crate) fn gateway(env: &Env) -> Result<Option<Gateway>, ConfigError> {
    let half = |there: &str, missing: &str| {
        let hint = format!("set {missing} too, or unset {there}");
        Err(ConfigError::value(there, format!("it means nothing without {missing}"), hint))
    };
    match (env.secret(GATEWAY_KEY)?, env.get(GATEWAY_URL)) {
        (None, None) => Ok(None),
        (Some(_), None) => half(GATEWAY_KEY, GATEWAY_URL),
        (None, Some(_)) => half(GATEWAY_URL, GATEWAY_KEY),
        (Some(key), Some(url)) => {
            let mut url = url.trim_end_matches('/').to_owned();
            let (provider, secret) = if url.ends_with("/openai") {
                ("openai", "OPENAI_API_KEY")
            } else {
                // The address of a gateway has a `v1` of its own at its beginning.
                if !url.ends_with("/v1") {
                    url.push_str("/v1");
                }
                ("anthropic", "ANTHROPIC_API_KEY")
            };
            Ok(Some(Gateway { provider, secret, key, url }))
        }
    }
}

/// What is for, and which variables. A secret may be given as a file too.
const TO_COME: [(&str, &[&str]); 4] = [
    (
        "chat channels",
        &[
            "TELEGRAM_BOT_TOKEN",
            "TELEGRAM_DM_POLICY",
            "TELEGRAM_DM_ALLOW_FROM",
            "DISCORD_BOT_TOKEN",
            "DISCORD_DM_POLICY",
            "SLACK_BOT_TOKEN",
            "SLACK_APP_TOKEN",
        ],
    ),
    (
        "sign-in by others",
        &["SUPABASE_URL", "SUPABASE_JWT_SECRET", "SUPABASE_SERVICE_ROLE_KEY", "ADMIN_USER_IDS"],
    ),
    ("the browser", &["CDP_SECRET", "WORKER_URL"]),
    (
        "Cloudflare's own gateway",
        &[
            "CLOUDFLARE_AI_GATEWAY_API_KEY",
            "CF_AI_GATEWAY_ACCOUNT_ID",
            "CF_AI_GATEWAY_GATEWAY_ID",
            "CF_AI_GATEWAY_MODEL",
        ],
    ),
];

/// Of variables that change nothing, or more than one might think: which, and why. Never a value.
pub fn notes(env: &Env) -> Vec<String> {
    let set = |name: &&&str| env.get(name).is_some() || env.get(&format!("{name}_FILE")).is_some();
    let to_come = TO_COME.iter().filter_map(|(feature, names)| {
        let there: Vec<&str> = names.iter().filter(set).copied().collect();
        let verb = if there.len() == 1 { "is" } else { "are" };
        (!there.is_empty()).then(|| {
            let names = there.join(", ");
            format!("{names} {verb} understood and not used yet; still to come: {feature}")
        })
    });
    let mut notes = Vec::new();
    if env.get(DEV_MODE) == Some("true") {
        let text = "WARNING: DEV_MODE=true: nobody needs a token to sign in. Every person and every \
                    program on this machine can use these smartboxes";
        notes.push(text.to_owned());
    }
    notes.extend(to_come);
    if env.get("MOLTBOT_GATEWAY_TOKEN").is_some() {
        let text = "MOLTBOT_GATEWAY_TOKEN is not used: each smartbox has tokens of its own, and \
                    MOLTBOT_GATEWAY_MASTER_TOKEN opens the platform";
        notes.push(text.to_owned());
    }
    notes
}
