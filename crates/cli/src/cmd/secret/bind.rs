//! `smartbox secret bind` and `smartbox secret unbind`.

use smartbox_api::call;
use smartbox_api::secret::{BoundTo, NewBinding, SecretQuery};
use smartbox_core::egress::{Form, Place, Rule, Shape};

use super::bound::words;
use crate::client::Client;
use crate::cmd::completions::names;
use crate::cmd::egress::rules::place;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::out;

/// Gives smartboxes a placeholder for a secret, and says where the real value may go
///
/// Programs in the smartbox find the placeholder in a variable of the secret's name. On the way to these
/// hosts, in these places of a request, the platform puts the value in; anywhere else it refuses the
/// request. A host may send back what it is sent: bind a secret only to hosts that you trust with it.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("place").multiple(true).requires("to")))]
pub(super) struct Args {
    /// Its name, like GITHUB_TOKEN
    name: String,
    /// The secret of this smartbox; that of the account if none is named
    #[arg(long = "box", value_name = "BOX", add = names())]
    smartbox: Option<String>,
    /// As the key of a service that is known; `smartbox secret services` lists them
    #[arg(long = "as", value_name = "SERVICE")]
    service: Option<String>,
    /// A host that it may go to, like api.example.com or api.example.com:8443; may be given again
    #[arg(long, value_name = "HOST", requires = "place")]
    to: Vec<String>,
    /// In a header: `x-api-key`, or with what stands around it: `authorization: Bearer {}`
    #[arg(long, value_name = "HEADER", group = "place")]
    header: Vec<String>,
    /// In this parameter of the query
    #[arg(long, value_name = "NAME", group = "place")]
    query: Vec<String>,
    /// In the path, right after this beginning of it, like /bot
    #[arg(long, value_name = "BEFORE", group = "place")]
    path_after: Vec<String>,
    /// As the password of basic authentication; git over HTTPS sends its token so
    #[arg(long, group = "place")]
    basic_password: bool,
    /// As the user of basic authentication
    #[arg(long, group = "place")]
    basic_user: bool,
    /// Only with this method, like GET; may be given again
    #[arg(long, value_name = "METHOD", requires = "to")]
    method: Vec<String>,
    /// Only to these paths, like /v1/**; may be given again
    #[arg(long, value_name = "PATH", requires = "to")]
    path: Vec<String>,
    /// How the placeholder looks: `github`, `telegram`, or a text with random runs like sbx_{a32}
    #[arg(long, value_name = "SHAPE", value_parser = shape)]
    shape: Option<String>,
    /// Also without TLS, for everybody on the way to read
    #[arg(long, requires = "to")]
    in_clear: bool,
    /// Print what was asked for as JSON
    #[arg(long)]
    json: bool,
}

fn shape(text: &str) -> Result<String, String> {
    Shape::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

pub(super) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    if args.service.is_none() && args.to.is_empty() {
        return Err(CliError::usage(
            "where the secret may go was not said",
            format!(
                "for example: smartbox secret bind {} --as github; or --to HOST --header …",
                args.name
            ),
        ));
    }
    let places = places(args)?;
    let to: Result<Vec<BoundTo>, CliError> =
        args.to.iter().map(|to| bound(args, to, &places)).collect();
    let new = NewBinding {
        smartbox: args.smartbox.clone(),
        service: args.service.clone(),
        shape: args.shape.clone(),
        to: to?,
    };
    or_interrupt(client.nothing(call::bind_secret(&args.name, &new))).await?;
    if args.json {
        return out::json(&new);
    }
    let of = SecretQuery { smartbox: args.smartbox.clone(), platform: false };
    let listed = or_interrupt(client.all(|page| call::secrets(&of, page))).await?;
    let bound = listed.into_iter().find(|one| one.name == args.name).map(|one| one.bound);
    let bound = bound.unwrap_or_default();
    out::say(format!("{} goes\n{}", args.name, lines(&bound)))?;
    let hosts: Vec<String> = bound.iter().map(|to| place(&to.host, &to.ports)).collect();
    let whose = args.smartbox.as_deref().unwrap_or("--all");
    out::note(format!(
        "note: a smartbox must be allowed to reach the hosts, too: smartbox egress allow {whose} {}\n\
         note: programs that run see the placeholder once they start again: smartbox restart <box>",
        hosts.join(" ")
    ));
    Ok(())
}

fn lines(bound: &[BoundTo]) -> String {
    let lines: Vec<String> = bound.iter().map(|to| format!("  to {}", words(to))).collect();
    lines.join("\n")
}

fn places(args: &Args) -> Result<Vec<Place>, CliError> {
    let mut places = Vec::new();
    for text in &args.header {
        let (name, form) = text.split_once(':').unwrap_or((text, "{}"));
        let form = Form::parse(form.trim())
            .map_err(|e| CliError::usage(e.to_string(), "like 'authorization: Bearer {}'"))?;
        places.push(Place::Header { name: name.trim().to_ascii_lowercase(), form });
    }
    places.extend(args.query.iter().map(|name| Place::Query { name: name.clone() }));
    places.extend(args.path_after.iter().map(|before| Place::Path { before: before.clone() }));
    places.extend(args.basic_password.then_some(Place::BasicPassword));
    places.extend(args.basic_user.then_some(Place::BasicUser));
    Ok(places)
}

fn bound(args: &Args, to: &str, places: &[Place]) -> Result<BoundTo, CliError> {
    let Rule { host, ports, .. } = Rule::parse(to)
        .map_err(|bad| CliError::usage(bad.to_string(), "like --to api.example.com"))?;
    Ok(BoundTo {
        host: host.to_string(),
        ports,
        methods: args.method.clone(),
        paths: args.path.clone(),
        places: places.to_vec(),
        in_clear: args.in_clear,
    })
}

/// Takes a secret's placeholder its worth; the secret stays
#[derive(Debug, clap::Args)]
pub(super) struct Unbind {
    /// Its name
    name: String,
    /// The one of this smartbox
    #[arg(long = "box", value_name = "BOX", add = names())]
    smartbox: Option<String>,
    /// Print the name as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn unbind(client: &Client, args: &Unbind) -> Result<(), CliError> {
    let call = call::unbind_secret(&args.name, args.smartbox.as_deref());
    or_interrupt(client.nothing(call)).await?;
    if args.json {
        return out::json(&serde_json::json!({ "name": args.name, "box": args.smartbox }));
    }
    out::say(format!("{}: goes nowhere by placeholder any more", args.name))
}
