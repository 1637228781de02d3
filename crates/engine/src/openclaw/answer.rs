//! What the transcript says about one message: unknown, answered, failed or under way.

use smartbox_core::engine::port::EngineError;

use super::rows::{MAX_ROWS, Page, Row};
use crate::gateway::socket::Socket;
use crate::gateway::wire::Refusal;

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The engine has never taken it in.
    Unknown,
    /// It is answered with this text.
    Answered(String),
    /// Its turn failed, in the engine's words.
    Failed(String),
    /// A turn for it is under way, or will be: the engine runs an interrupted turn anew.
    AtWork,
    /// No turn is under way and there is no answer.
    Ended,
}

/// Reads the transcript and looks a message up; also tells whether the conversation exists.
///
/// The engine reads the rows first and what it is doing a moment later, so that a turn which ends
/// between the two seems to have ended without an answer. A second reading, begun when the turn was
/// known to be over, has it.
pub(super) async fn look_up(
    socket: &mut Socket,
    session: &str,
    key: &str,
) -> Result<Result<(Fate, bool), Refusal>, EngineError> {
    let mut fates = (Fate::Unknown, false);
    for _ in 0..2 {
        let page = match Page::try_read(socket, session, MAX_ROWS).await? {
            Ok(page) => page,
            Err(refusal) => return Ok(Err(refusal)),
        };
        fates = (fate(&page, key), page.session_id.is_some());
        if fates.0 != Fate::Ended {
            return Ok(Ok(fates));
        }
    }
    let why = "the engine ended the turn without an answer".to_owned();
    Ok(Ok((Fate::Failed(why), fates.1)))
}

/// Looks a message up by its key.
///
/// A turn that was interrupted by a crash is run anew under another run id and behind a row of the
/// engine's own, so that rows count by their place: from the message to the next person's.
/// A message that was put into a running turn is answered under that turn's run id.
fn fate(page: &Page, key: &str) -> Fate {
    let rows = &page.messages;
    let Some(at) = rows.iter().position(|row| row.key() == Some(key)) else {
        return Fate::Unknown;
    };
    let later = &rows[at + 1..];
    let before_next = later.iter().take_while(|row| !row.is_person());
    if let Some(answer) = before_next.clone().filter(|row| row.is_answer()).last() {
        // An answer before the turn's end is a draft while the turn goes on.
        let last_person = later.iter().all(|row| !row.is_person());
        if !(last_person && page.at_work()) {
            return Fate::Answered(answer.text().to_owned());
        }
        return Fate::AtWork;
    }
    if let Some(answer) = later.iter().find(|row| row.is_of_run(key) && row.is_answer()) {
        return Fate::Answered(answer.text().to_owned());
    }
    if page.at_work() {
        return Fate::AtWork;
    }
    let failed = before_next.filter_map(Row::failure).last();
    if let Some(why) = failed {
        return Fate::Failed(why);
    }
    // Steered into another turn: whatever that turn said next is the answer.
    match later.iter().find(|row| row.is_answer()) {
        Some(answer) => Fate::Answered(answer.text().to_owned()),
        None => Fate::Ended,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn page(rows: &Value, status: &str) -> Page {
        let page = json!({ "messages": rows, "sessionInfo": { "status": status } });
        serde_json::from_str(&page.to_string()).unwrap()
    }

    fn user(key: &str, text: &str) -> Value {
        json!({ "role": "user", "content": text, "idempotencyKey": format!("{key}:user") })
    }

    fn assistant(run: &str, text: &str, stop: &str) -> Value {
        json!({ "role": "assistant", "content": [{ "type": "text", "text": text }],
                "stopReason": stop, "__openclaw": { "runId": run } })
    }

    #[test]
    fn a_message_that_is_not_there_is_unknown() {
        assert_eq!(fate(&page(&json!([user("a", "hi")]), "done"), "b"), Fate::Unknown);
    }

    #[test]
    fn text_before_a_tool_call_is_not_the_answer() {
        let rows = json!([
            user("a", "hi"),
            assistant("a", "let me look", "toolUse"),
            { "role": "toolResult", "content": [{ "type": "text", "text": "42" }] },
            assistant("a", "it is 42", "stop"),
        ]);
        assert_eq!(fate(&page(&rows, "done"), "a"), Fate::Answered("it is 42".into()));
    }

    #[test]
    fn an_interrupted_turn_is_answered_under_another_run() {
        let rows = json!([
            user("a", "hi"),
            user("0f-uuid", "[System] Your previous turn was interrupted by a gateway restart"),
            assistant("0f-uuid", "hello", "stop"),
        ]);
        assert_eq!(fate(&page(&rows, "done"), "a"), Fate::Answered("hello".into()));
    }

    #[test]
    fn an_unanswered_message_is_waited_for_while_the_engine_works() {
        assert_eq!(fate(&page(&json!([user("a", "hi")]), "running"), "a"), Fate::AtWork);
        let ended = fate(&page(&json!([user("a", "hi")]), "done"), "a");
        assert_eq!(ended, Fate::Ended);
    }

    #[test]
    fn a_failed_turn_says_why() {
        let rows = json!([
            user("a", "hi"),
            { "role": "custom", "customType": "run-failed-before-reply", "content": "no credit" },
            user("b", "again"),
            assistant("b", "hello", "stop"),
        ]);
        assert_eq!(fate(&page(&rows, "done"), "a"), Fate::Failed("no credit".into()));
    }

    #[test]
    fn the_next_message_answer_is_not_mine() {
        let rows = json!([
            user("a", "hi"),
            assistant("a", "A", "stop"),
            user("b", "ho"),
            assistant("b", "B", "stop")
        ]);
        assert_eq!(fate(&page(&rows, "done"), "a"), Fate::Answered("A".into()));
    }

    #[test]
    fn a_steered_message_is_answered_by_the_turn_it_joined() {
        let rows = json!([user("a", "hi"), user("b", "and"), assistant("a", "both", "stop")]);
        assert_eq!(fate(&page(&rows, "done"), "a"), Fate::Answered("both".into()));
        assert_eq!(fate(&page(&rows, "done"), "b"), Fate::Answered("both".into()));
    }
}
