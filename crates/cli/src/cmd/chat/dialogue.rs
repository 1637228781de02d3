//! A dialogue: a line, its answer, the next line, until Ctrl-D.
//!
//! The terminal's own line editing is enough; whoever wants more wraps the command in `rlwrap`.
use smartbox_server::system::SystemEntropy;

use smartbox_core::id::MessageId;

use super::checked;
use super::turn::{self, How, Turn};
use crate::error::CliError;
use crate::ui::interrupt::Interrupt;
use crate::ui::{out, stdin, term};

pub(super) async fn hold(how: &How<'_>) -> Result<(), CliError> {
    // That there is such a box, and a platform, is better known before the first line is typed.
    how.client.json(smartbox_api::call::smartbox(how.name)).await?;
    let person = term::typed();
    if person {
        out::note(format!("Talking to {}; Ctrl-D ends.", how.name));
    }
    let mut interrupt = Interrupt::listen();
    let mut lines = stdin::lines();
    loop {
        if person {
            out::note_raw(b"> ");
        }
        let line = tokio::select! {
            line = lines.recv() => line,
            signal = interrupt.wait() => return Err(CliError::Interrupted(signal)),
        };
        let Some(line) = line else {
            if person {
                out::note("");
            }
            return Ok(());
        };
        if line.trim().is_empty() {
            continue;
        }
        let turn = Turn { id: MessageId::generate(&SystemEntropy), text: Some(checked(line)?) };
        match turn::take_or(how, turn, &mut interrupt).await {
            // Ctrl-C while an answer comes is about that answer, not about the dialogue.
            Err(CliError::Interrupted(2)) if person => {}
            // One message that failed does not end a person's dialogue; it does end a script's.
            Err(error)
                if person && !matches!(error, CliError::Interrupted(_) | CliError::Output(_)) =>
            {
                out::complain(&error);
            }
            other => other?,
        }
    }
}
