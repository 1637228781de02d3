//! One message: sending it, following it, across broken connections.

use std::time::Duration;

use smartbox_api::call;
use smartbox_api::message::{Delivery, MessageView, NewMessage, TurnEvent};
use smartbox_core::id::MessageId;
use tokio::time::Instant;

use super::answer::Answer;
use crate::client::Client;
use crate::error::CliError;
use crate::ui::interrupt::Interrupt;
use crate::ui::out;

/// How long a platform that went away in the middle is waited for.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two attempts to reach it.
const PAUSE: Duration = Duration::from_millis(250);

/// To whom, and how.
pub(super) struct How<'a> {
    pub(super) client: &'a Client,
    pub(super) name: &'a str,
    pub(super) session: &'a str,
    pub(super) json: bool,
}

/// One message.
pub(super) struct Turn {
    pub(super) id: MessageId,
    /// What to say; none if it was said before.
    pub(super) text: Option<String>,
}

/// Takes the turn; Ctrl-C says how to find the answer again.
pub(super) async fn take(how: &How<'_>, turn: Turn) -> Result<(), CliError> {
    let mut interrupt = Interrupt::listen();
    take_or(how, turn, &mut interrupt).await
}

/// The same, for a caller that listens for signals already.
pub(super) async fn take_or(
    how: &How<'_>,
    turn: Turn,
    interrupt: &mut Interrupt,
) -> Result<(), CliError> {
    let mut sent = turn.text.is_none();
    let ended = tokio::select! {
        done = whole(how, &turn, &mut sent) => done,
        signal = interrupt.wait() => Err(CliError::Interrupted(signal)),
    };
    match &ended {
        // Not a word to a person who only mistyped the data directory.
        Err(CliError::Unreachable { .. }) if !sent => {}
        Err(e) if e.is_passing() || matches!(e, CliError::Interrupted(_)) => {
            explain(how, &turn, sent);
        }
        _ => {}
    }
    ended
}

/// Says how the answer can be had later.
fn explain(how: &How<'_>, turn: &Turn, sent: bool) {
    let find = format!("smartbox chat {} --message {}", how.name, turn.id);
    out::note(if sent {
        format!("\nThe message is kept and will be answered; to see the answer: {find}")
    } else {
        format!(
            "\nWhether the message arrived is not known; to send the same one again: {find} \"…\""
        )
    });
}

async fn whole(how: &How<'_>, turn: &Turn, sent: &mut bool) -> Result<(), CliError> {
    let mut answer = Answer::new(how);
    if let Some(text) = &turn.text {
        let message = NewMessage {
            id: Some(turn.id.clone()),
            text: text.clone(),
            session: Some(how.session.to_owned()),
            channel: Some("cli".into()),
        };
        let view = send(how, &message, &mut answer).await?;
        *sent = true;
        if view.state.is_final() {
            return settle(how, answer, view);
        }
    }
    answer.wait();
    follow(how, &turn.id, &mut answer).await?;
    let view =
        persist(&mut answer, async || how.client.json(call::message(&turn.id)).await).await?;
    settle(how, answer, view)
}

/// Sends until the platform says that it has it. That nobody is there at all is no broken
/// connection: the first attempt says so at once.
async fn send(
    how: &How<'_>,
    message: &NewMessage,
    answer: &mut Answer<'_>,
) -> Result<MessageView, CliError> {
    match how.client.json(call::send(how.name, message)).await {
        Err(CliError::Broken(_)) => {
            let again = async || how.client.json(call::send(how.name, message)).await;
            persist(answer, again).await
        }
        other => other,
    }
}

async fn follow(how: &How<'_>, id: &MessageId, answer: &mut Answer<'_>) -> Result<(), CliError> {
    loop {
        let mut events =
            persist(answer, async || how.client.events(&call::follow(id)).await).await?;
        loop {
            match events.next().await {
                Ok(event) => {
                    let last = matches!(event, TurnEvent::Answered(_) | TurnEvent::Failed(_));
                    answer.event(event)?;
                    if last {
                        return Ok(());
                    }
                }
                Err(error) if error.is_passing() => {
                    answer.lost();
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        // A stream that ends at once, again and again, must not keep a processor busy.
        tokio::time::sleep(PAUSE).await;
    }
}

/// Tries again while the platform is away, up to [`PATIENCE`].
async fn persist<T>(
    answer: &mut Answer<'_>,
    attempt: impl AsyncFn() -> Result<T, CliError>,
) -> Result<T, CliError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt().await {
            Err(error) if error.is_passing() && Instant::now() < deadline => {
                answer.lost();
                tokio::time::sleep(PAUSE).await;
            }
            other => return other,
        }
    }
}

fn settle(how: &How<'_>, mut answer: Answer<'_>, view: MessageView) -> Result<(), CliError> {
    if how.json {
        answer.hush();
        let lines = std::io::IsTerminal::is_terminal(&std::io::stdout());
        if lines { out::json(&view)? } else { out::json_line(&view)? }
    } else if let Some(reply) = &view.reply {
        answer.event(TurnEvent::Answered(reply.clone()))?;
    }
    match view.state {
        Delivery::Failed => {
            answer.hush();
            let why = view.error.unwrap_or_else(|| "the engine gave no reason".into());
            Err(CliError::Here {
                what: format!("no answer: {}", out::tame(&why)),
                hint: format!("`smartbox logs {}` shows what the engine says", how.name),
                exit: smartbox_api::problem::Exit::BoxFailed,
            })
        }
        _ => Ok(()),
    }
}
