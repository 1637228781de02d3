//! `smartbox egress allow` and `smartbox egress deny`.

use std::time::Duration;

use smartbox_api::call;
use smartbox_api::egress::{EgressRuleView, NewEgressRule};
use smartbox_core::egress::address::is_public;
use smartbox_core::egress::{BadRule, Effect, Host, Pattern, Rule, is_preset};
use smartbox_core::time::parse_duration;

use super::last;
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
    /// What the smartbox was refused last; asks first
    #[arg(long, conflicts_with = "all")]
    last: bool,
    /// Do not ask
    #[arg(long, short, requires = "last")]
    yes: bool,
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
    let refused_last = match &smartbox {
        Some(name) if args.last => vec![last::meant(client, name, effect, args.yes).await?],
        _ => Vec::new(),
    };
    if what.is_empty() && refused_last.is_empty() {
        return Err(CliError::usage(
            "no host and no preset was named",
            format!("for example: smartbox egress {effect} pa api.example.com"),
        ));
    }
    // All of them are read before the first is added.
    let wanted: Result<Vec<NewEgressRule>, CliError> = what
        .iter()
        .chain(&refused_last)
        .map(|text| wanted(args, effect, smartbox.clone(), text))
        .collect();
    let mut added = Vec::new();
    for new in wanted? {
        added.push(or_interrupt(client.json(call::add_egress_rule(&new))).await?);
    }
    added.iter().for_each(warn);
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
    let Rule { host, ports, .. } = Rule::parse(host_of(text)?).map_err(|bad: BadRule| {
        CliError::usage(bad.to_string(), "`smartbox egress presets` lists the presets")
    })?;
    Ok(NewEgressRule { host: Some(host.to_string()), ports, ..new })
}

/// People paste addresses of pages; the host is what a rule is about. A path is not dropped in silence:
/// the rule would let out more than was meant.
fn host_of(text: &str) -> Result<&str, CliError> {
    let Some(rest) = text.strip_prefix("https://") else { return Ok(text) };
    match rest.split_once('/') {
        None | Some((_, "")) => Ok(rest.trim_end_matches('/')),
        Some((host, path)) => Err(CliError::usage(
            format!("`{text}` has a path, and a rule about a host lets out all of it"),
            format!("allow `{host}`, or only that path: {host} --path '/{path}'"),
        )),
    }
}

/// What a person may not expect of a rule.
fn warn(rule: &EgressRuleView) {
    match &rule.host {
        Some(Pattern::Any) if rule.effect == Effect::Allow && rule.methods.is_empty() => out::note(
            "note: * is every host there is; the preset `web-read` lets out reading alone",
        ),
        Some(Pattern::One(Host::Ip(ip))) if !is_public(*ip) => out::note(format!(
            "note: {ip} is not on the public internet, so this counts only where the operator opened \
             it (egress.private in smartbox.toml)"
        )),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_page_is_its_host() {
        assert_eq!(host_of("https://api.example.com/").unwrap(), "api.example.com");
        assert_eq!(host_of("api.example.com:8443").unwrap(), "api.example.com:8443");
        assert!(host_of("https://api.example.com/v1").is_err());
    }
}
