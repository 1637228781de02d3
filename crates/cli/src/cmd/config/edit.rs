//! `smartbox config edit`: the document in an editor, in a file that only its user can read.

use std::io::{IsTerminal, Read, Seek, Write};
use std::process::Command;

use smartbox_api::call;
use smartbox_api::config::{ConfigQuery, MAX_DOCUMENT};
use smartbox_api::problem::Code;

use super::{patch, tell};
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::or_interrupt;
use crate::ui::{ask, out};

/// Opens the configuration of a smartbox's engine in $VISUAL or $EDITOR
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX")]
    name: String,
    /// Print what came of it as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let view = or_interrupt(client.json(call::config(&args.name))).await?;
    let before = format!("{:#}\n", view.document);
    let mut file = file(&before)?;
    loop {
        let text = edited(&mut file)?;
        if text == before && view.unreadable.is_none() {
            out::note("nothing was changed");
            return Ok(());
        }
        let ended = replace(client, args, &view.digest, &text).await;
        match ended {
            Err(error) if mendable(&error) && std::io::stdin().is_terminal() => {
                out::complain(&error);
                if !ask::sure("Edit it again?", "nothing: it needs a terminal")? {
                    return Err(CliError::Said(error.code()));
                }
            }
            other => return other,
        }
    }
}

async fn replace(client: &Client, args: &Args, digest: &str, text: &str) -> Result<(), CliError> {
    let document = patch::document(text)?;
    let call = call::replace_config(&args.name, &document, Some(digest), ConfigQuery::default());
    let changed = or_interrupt(client.json(call)).await?;
    tell::changed(&args.name, &changed, args.json)
}

/// Whether editing again may help: not if somebody else changed it, since the text is an old one then.
fn mendable(error: &CliError) -> bool {
    match error {
        CliError::Usage { .. } => true,
        CliError::Problem(problem) => {
            matches!(problem.known(), Some(Code::InvalidConfig | Code::Refused))
        }
        _ => false,
    }
}

fn here(doing: &str, error: &std::io::Error) -> CliError {
    CliError::here(format!("{doing}: {error}"), "")
}

/// Mode 0600, gone when it is dropped.
fn file(text: &str) -> Result<tempfile::NamedTempFile, CliError> {
    let failed = |e: std::io::Error| here("the file to edit cannot be made", &e);
    let mut file =
        tempfile::Builder::new().prefix("smartbox-").suffix(".json").tempfile().map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.flush().map_err(failed)?;
    Ok(file)
}

fn edited(file: &mut tempfile::NamedTempFile) -> Result<String, CliError> {
    let set = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    let editor = set("VISUAL").or_else(|| set("EDITOR")).ok_or_else(|| {
        CliError::usage("no editor is set", "set EDITOR, or use `smartbox config patch`")
    })?;
    // `code --wait`: a program and its options; never a line for a shell.
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or_default();
    let status = Command::new(program)
        .args(words)
        .arg(file.path())
        .status()
        .map_err(|e| here(&format!("the editor `{program}` does not start"), &e))?;
    if !status.success() {
        return Err(CliError::here(
            format!("the editor ended with {status}"),
            "nothing was changed",
        ));
    }
    // By its path: most editors put another file in its place.
    let mut text = String::new();
    let mut file =
        std::fs::File::open(file.path()).map_err(|e| here("what was edited is gone", &e))?;
    file.rewind().map_err(|e| here("what was edited cannot be read", &e))?;
    file.take(4 * MAX_DOCUMENT as u64)
        .read_to_string(&mut text)
        .map_err(|e| here("what was edited cannot be read", &e))?;
    Ok(text)
}
