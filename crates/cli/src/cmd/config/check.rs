//! `smartbox config check`: the platform's own settings.

use smartbox_server::config::sources::settings;
use smartbox_server::config::{Config, Env, FILE, Overrides, text_of};

use crate::client::Place;
use crate::error::CliError;
use crate::ui::{out, table};

/// Reads the platform's own settings as `up` would: what holds and who says so, or what is wrong
///
/// Of secrets it says whether they are given, never what they are.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, env: &Env, args: &Args) -> Result<(), CliError> {
    let json = args.json;
    let dir = place.data_dir(env)?;
    let over = Overrides { listen: place.listen.clone(), data_dir: place.data_dir.is_some() };
    let config = Config::load(&dir, env, &over)?;
    let text = text_of(&dir)?;
    let settings = settings(&config, &text, env, &over)?;
    let file = dir.join(FILE);
    let there = file.exists();
    let providers: Vec<&str> = config.models.providers.iter().map(|p| p.name.as_str()).collect();
    let tiers: Vec<&str> = config.tiers.keys().map(String::as_str).collect();
    if json {
        return out::json(&serde_json::json!({
            "file": file, "exists": there, "data_dir": config.data_dir,
            "listen": config.http.listen.to_string(), "tier": config.boxes.tier, "tiers": tiers,
            "engine": config.engine.name, "sleep_after": config.sleep.words,
            "providers": providers, "settings": settings, "notes": config.notes,
        }));
    }
    let words = if there { "understood" } else { "not there; the defaults hold" };
    out::say(format_args!("{} ({words})\n", file.display()))?;
    let rows = settings
        .into_iter()
        .map(|setting| [setting.key, setting.value, setting.source.to_string()])
        .collect();
    out::say(table::table(["SETTING", "VALUE", "FROM"], rows))?;
    for note in &config.notes {
        out::say(format_args!("\nnote: {note}"))?;
    }
    Ok(())
}
