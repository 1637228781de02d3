//! `smartbox chat`: one message and its answer, or a dialogue.
//!
//! A message has its id before it is sent, so sending it twice is once: after a broken connection
//! the same message is sent again, or its events are followed again, and nobody is answered twice.

mod answer;
mod dialogue;
mod screen;
mod turn;

use smartbox_api::message::MAX_TEXT;
use smartbox_core::id::MessageId;
use smartbox_server::system::SystemEntropy;

use crate::client::Client;
use crate::cmd::completions::names;
use crate::error::CliError;
use turn::{How, Turn};

/// Talks to a smartbox: with a text one message, without one a dialogue.
///
/// It wakes a sleeping smartbox. Ctrl-C stops the waiting and not the assistant: the message is
/// kept and answered, and `--message` finds the answer again.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The smartbox
    #[arg(value_name = "BOX", add = names())]
    name: String,
    /// What to say; `-` reads it from standard input
    text: Option<String>,
    /// The conversation
    #[arg(long, value_name = "NAME", default_value = "main")]
    session: String,
    /// With a text: the id to send it under, so that sending it again is the same message.
    /// Without one: show the answer to this message
    #[arg(long, value_name = "ID")]
    message: Option<MessageId>,
    /// Print the answered message as JSON; in a dialogue one a line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(client: &Client, args: &Args) -> Result<(), CliError> {
    let how = How { client, name: &args.name, session: &args.session, json: args.json };
    let text = match args.text.as_deref() {
        Some("-") => Some(whole_input()?),
        text => text.map(str::to_owned),
    };
    match (text, &args.message) {
        (Some(text), id) => {
            let text = checked(text)?;
            let id = id.clone().unwrap_or_else(|| MessageId::generate(&SystemEntropy));
            turn::take(&how, Turn { id, text: Some(text) }).await
        }
        (None, Some(id)) => turn::take(&how, Turn { id: id.clone(), text: None }).await,
        (None, None) => dialogue::hold(&how).await,
    }
}

fn checked(text: String) -> Result<String, CliError> {
    if text.trim().is_empty() {
        return Err(CliError::usage(
            "there is nothing to say",
            "leave the text out for a dialogue",
        ));
    }
    if text.len() > MAX_TEXT {
        let what = format!("the text is longer than {} KiB", MAX_TEXT >> 10);
        return Err(CliError::usage(what, "put it into a file of the box and speak of the file"));
    }
    Ok(text)
}

fn whole_input() -> Result<String, CliError> {
    std::io::read_to_string(std::io::stdin())
        .map_err(|e| CliError::usage(format!("standard input is no text: {e}"), "pipe in UTF-8"))
}
