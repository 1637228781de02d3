//! `smartbox issues`.

use smartbox_api::call;
use smartbox_api::issue::{Issue, IssueQuery, Severity, Which};
use smartbox_api::page::PageQuery;
use smartbox_core::time::{Clock, Timestamp};
use smartbox_server::system::SystemClock;

use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{age, out};

/// Lists what somebody should see to; wakes nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Those of one smartbox alone
    #[arg(value_name = "BOX")]
    name: Option<String>,
    /// Also those that are resolved, which are kept for thirty days
    #[arg(long)]
    all: bool,
    /// Those of one severity alone: critical, high, medium or low
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    severity: Option<Severity>,
    /// Say that this issue is over, by its id
    #[arg(long, value_name = "ID", conflicts_with_all = ["name", "all", "severity"])]
    resolve: Option<String>,
    /// Print an array of issues as JSON
    #[arg(long)]
    json: bool,
}

fn severity(text: &str) -> Result<Severity, String> {
    Severity::parse(text).ok_or_else(|| "use critical, high, medium or low".to_owned())
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let issues = or_interrupt(async {
        match &args.resolve {
            Some(id) => Ok(vec![client.json(call::resolve_issue(id)).await?]),
            None => client.all(|page| call::issues(&query(args, page))).await,
        }
    })
    .await?;
    if args.json {
        return out::json(&issues);
    }
    if issues.is_empty() {
        return out::say("There is no issue.");
    }
    let now = SystemClock.now();
    let told: Vec<String> = issues.iter().map(|issue| words(issue, now)).collect();
    out::say(told.join("\n"))
}

fn query(args: &Args, page: &PageQuery) -> IssueQuery {
    IssueQuery {
        state: args.all.then_some(Which::All),
        severity: args.severity,
        smartbox: args.name.clone(),
        limit: page.limit,
        cursor: page.cursor.clone(),
    }
}

/// Two lines: what it is, and what helps.
fn words(issue: &Issue, now: Timestamp) -> String {
    let often = if issue.count > 1 { format!("{} times, ", issue.count) } else { String::new() };
    let when = match issue.resolved {
        Some(at) => format!("resolved {}", age::when(now, at)),
        None => format!("{often}last {}", age::when(now, issue.last)),
    };
    let text = format!(
        "{}  {}  {}  ({when})\n    {}\n    hint: {}",
        issue.severity, issue.kind, issue.id, issue.message, issue.hint
    );
    out::tame(&text)
}

#[cfg(test)]
mod tests {
    use smartbox_core::issue::Kind;

    use super::*;

    #[test]
    fn an_issue_says_what_and_how_often_and_what_helps() {
        let now = Timestamp(1_000_000_000);
        let issue = Issue {
            id: "iss_00000000000000000001".parse().unwrap(),
            account: None,
            smartbox: None,
            kind: Kind::DiskLow,
            severity: Kind::DiskLow.severity(),
            key: "disk-low".into(),
            message: "The disk is nearly full\u{1b}[2J.".into(),
            hint: "Free some.".into(),
            count: 3,
            first: now,
            last: Timestamp(now.0 - 5_000),
            resolved: None,
        };
        assert_eq!(
            words(&issue, now),
            "critical  disk-low  iss_00000000000000000001  (3 times, last 5s ago)\n    \
             The disk is nearly full\u{fffd}[2J.\n    hint: Free some."
        );
        let over = Issue { resolved: Some(now), ..issue };
        assert!(words(&over, now).contains("(resolved 0s ago)"));
    }
}
