//! `smartbox egress allow` and `smartbox egress deny`.

use std::time::Duration;

use smartbox_api::call;
use smartbox_api::egress::NewEgressRule;
use smartbox_core::egress::{BadRule, Effect, Rule, is_preset};
use smartbox_core::time::parse_duration;

use super::rules::words;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The smartbox, and then hosts (`example.com`, `*.example.com:443,8443`) or presets (`registries`)
    #[arg(value_name = "BOX> <HOST", required = true, num_args = 1..)]
    what: Vec<String>,
    /// For every smartbox of the account; no smartbox is named then
    #[arg(long)]
    all: bool,
    /// For so long, like 1h
    #[arg(long = "for", value_name = "TIME", value_parser = parse)]
    within: Option<Duration>,
    /// For one connection only
    #[arg(long, conflicts_with = "within")]
    once: bool,
    /// Only this method, like GET; may be given again. TLS is opened to see to it
    #[arg(long, value_name = "METHOD")]
    method: Vec<String>,
    /// Only these paths, like /v1/**; may be given again. TLS is opened to see to it
    #[arg(long, value_name = "PATH")]
    path: Vec<String>,
    /// Print an array of rules as JSON
    #[arg(long)]
    json: bool,
}

fn parse(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

pub(super) async fn run(client: &Client, args: &Args, effect: Effect) -> Result<(), CliError> {
    let (smartbox, what) = if args.all {
        (None, &args.what[..])
    } else {
        let (first, rest) = args.what.split_at(1);
        (first.first().cloned(), rest)
    };
    if what.is_empty() {
        return Err(CliError::usage(
            "no host and no preset was named",
            format!("for example: smartbox egress {effect} pa api.example.com"),
        ));
    }
    // All of them are read before the first is added.
    let wanted: Result<Vec<NewEgressRule>, CliError> =
        what.iter().map(|text| wanted(args, effect, smartbox.clone(), text)).collect();
    let mut added = Vec::new();
    for new in wanted? {
        added.push(or_interrupt(client.json(call::add_egress_rule(&new))).await?);
    }
    if args.json {
        return out::json(&added);
    }
    let whose = smartbox.as_deref().unwrap_or("every smartbox of the account");
    let lines: Vec<String> = added.iter().map(|rule| format!("{whose}: {}", words(rule))).collect();
    out::say(lines.join("\n"))
}

fn wanted(
    args: &Args,
    effect: Effect,
    smartbox: Option<String>,
    text: &str,
) -> Result<NewEgressRule, CliError> {
    let new = NewEgressRule {
        smartbox,
        effect: Some(effect),
        methods: args.method.clone(),
        paths: args.path.clone(),
        for_ms: args.within.map(|within| u64::try_from(within.as_millis()).unwrap_or(u64::MAX)),
        once: args.once,
        ..NewEgressRule::default()
    };
    if is_preset(text) {
        return Ok(NewEgressRule { preset: Some(text.to_owned()), ..new });
    }
    let Rule { host, ports, .. } = Rule::parse(host_of(text)).map_err(|bad: BadRule| {
        CliError::usage(bad.to_string(), "`smartbox egress presets` lists the presets")
    })?;
    Ok(NewEgressRule { host: Some(host.to_string()), ports, ..new })
}

/// People paste addresses of pages; the host is what they mean.
fn host_of(text: &str) -> &str {
    let rest = text.strip_prefix("https://").unwrap_or(text);
    if rest.len() < text.len() { rest.split('/').next().unwrap_or(rest) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_page_is_its_host() {
        assert_eq!(host_of("https://api.example.com/v1?x"), "api.example.com");
        assert_eq!(host_of("api.example.com:8443"), "api.example.com:8443");
    }
}
