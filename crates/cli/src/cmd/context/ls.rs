//! `smartbox context ls`.

use serde::Serialize;
use smartbox_server::config::Env;

use crate::client::contexts::Contexts;
use crate::error::CliError;
use crate::ui::{out, table};

/// Lists the contexts.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print an array of contexts as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    /// None for this machine's.
    server: Option<String>,
    /// Whether a token is kept.
    token: bool,
    /// Whether commands mean it by themselves.
    current: bool,
}

pub(super) fn run(env: &Env, args: &Args) -> Result<(), CliError> {
    let contexts = Contexts::read(env)?;
    let mut rows = Vec::new();
    for name in contexts.names() {
        let context = contexts.get(name)?;
        let token = context.as_ref().is_some_and(|context| context.token.is_some());
        let server = context.map(|context| context.server);
        rows.push(Row { name, server, token, current: name == contexts.current() });
    }
    if args.json {
        return out::json(&rows);
    }
    let rows = rows
        .into_iter()
        .map(|row| {
            let token = match (&row.server, row.token) {
                (None, _) => "not needed",
                (Some(_), true) => "kept",
                (Some(_), false) => "SMARTBOX_TOKEN",
            };
            let current = if row.current { "*" } else { "" };
            let server = row.server.unwrap_or_else(|| "this machine".into());
            [current.to_owned(), row.name.to_owned(), server, token.to_owned()]
        })
        .collect();
    out::say(table::table(["", "NAME", "SERVER", "TOKEN"], rows))
}
