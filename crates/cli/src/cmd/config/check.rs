//! `smartbox config check`: the platform's own settings.

use smartbox_server::config::{Config, Env, FILE, Overrides};

use crate::client::Place;
use crate::error::CliError;
use crate::ui::{out, table};

/// Reads the platform's own settings as `up` would and says what holds, or what is wrong and where
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, env: &Env, args: &Args) -> Result<(), CliError> {
    let json = args.json;
    let dir = place.data_dir(env)?;
    let over = Overrides { listen: place.listen.clone() };
    let config = Config::load(&dir, env, &over)?;
    let file = dir.join(FILE);
    let there = file.exists();
    let providers: Vec<&str> = config.models.providers.iter().map(|p| p.name.as_str()).collect();
    let tiers: Vec<&str> = config.tiers.keys().map(String::as_str).collect();
    if json {
        return out::json(&serde_json::json!({
            "file": file, "exists": there, "data_dir": config.data_dir,
            "listen": config.http.listen.to_string(), "tier": config.boxes.tier, "tiers": tiers,
            "engine": config.engine.name, "sleep_after": config.sleep.words,
            "providers": providers,
        }));
    }
    let words = if there { "understood" } else { "not there; the defaults hold" };
    out::say(table::facts(&[
        ("file", format!("{} ({words})", file.display())),
        ("listen", config.http.listen.to_string()),
        ("tier", format!("{} of {}", config.boxes.tier, tiers.join(", "))),
        ("engine", config.engine.name.clone()),
        ("sleep", config.sleep.words.clone()),
        ("providers", providers.join(", ")),
    ]))
}
