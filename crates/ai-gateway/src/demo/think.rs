//! What the demo model says: rules over the conversation in the request, and no memory but that.

use serde_json::{Value, json};

use crate::demo::talk::{Talk, Turn};
use crate::demo::text;

/// What it will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Say this.
    Say(String),
    /// Say this slowly.
    Drag(String),
    /// Call a tool.
    Call {
        /// Its name.
        name: String,
        /// Its input.
        input: Value,
    },
    /// Fail with this status.
    Fail(u16),
}

const WHAT: &str = "I am the demo model that comes with Smartbox: a few fixed rules, no intelligence. \
Everything around me is real: your box, its memory and its tools.";
const KEY: &str =
    "To talk to a real model, run `smartbox secret set ANTHROPIC_API_KEY` in a terminal.";
const TRICKS: &str =
    "Meanwhile, try: `my name is …`, `what did I say before?`, or `run: uname -a`.";
/// Most words that `demo:slow` says.
const MOST_WORDS: usize = 10_000;
/// Most characters of a tool's result, and of a person's words, that are quoted.
const MOST_RESULT: usize = 4_000;
const MOST_QUOTED: usize = 200;

/// Decides. The same conversation always gets the same answer.
pub(crate) fn think(talk: &Talk) -> Plan {
    let plan = match talk.turns.last() {
        Some(Turn::Result { .. }) => Plan::Say(report(&talk.turns)),
        Some(Turn::Person(words)) => reply(talk, words),
        _ => Plan::Say(format!("{WHAT} {KEY}")),
    };
    match plan {
        // Someone's words may hold a stamp of the engine's; an answer must not look stamped.
        Plan::Say(said) => Plan::Say(text::unstamped(&said)),
        other => other,
    }
}

fn reply(talk: &Talk, words: &str) -> Plan {
    let lower = words.to_ascii_lowercase();
    if let Some(status) = number_after(&lower, "demo:fail") {
        return Plan::Fail(
            u16::try_from(status).ok().filter(|s| (400..600).contains(s)).unwrap_or(500),
        );
    }
    if let Some(count) = number_after(&lower, "demo:slow") {
        let words: Vec<_> = (1..=count.min(MOST_WORDS)).map(|n| format!("word{n}")).collect();
        return Plan::Drag(words.join(" "));
    }
    if let Some(command) = after(words, &lower, &["run:", "run `"]) {
        return run(talk, command.trim_matches('`').trim());
    }
    Plan::Say(answer(&talk.turns, words, &lower))
}

fn run(talk: &Talk, command: &str) -> Plan {
    match &talk.shell {
        _ if command.is_empty() => {
            Plan::Say("Write a command after `run:`, like `run: uname -a`.".to_owned())
        }
        Some(tool) => {
            let mut input = json!({});
            input[&tool.input] = command.into();
            Plan::Call { name: tool.name.clone(), input }
        }
        None => Plan::Say(
            "I would run that, but no tool that runs commands is offered to me here.".to_owned(),
        ),
    }
}

fn report(turns: &[Turn]) -> String {
    let command = turns.iter().rev().find_map(|turn| match turn {
        Turn::Called(command) => Some(command.as_str()),
        _ => None,
    });
    let (text, failed) = match turns.last() {
        Some(Turn::Result { text, failed }) => (text.trim(), *failed),
        _ => ("", false),
    };
    let command = command.unwrap_or("the tool");
    let how = if failed { "It failed" } else { "It answered" };
    if text.is_empty() {
        return format!("I ran `{command}` in your box. {how} without a word.");
    }
    format!("I ran `{command}` in your box. {how}:\n\n```\n{}\n```", short(text, MOST_RESULT))
}

fn answer(turns: &[Turn], words: &str, lower: &str) -> String {
    let before = &turns[..turns.len() - 1];
    let asks = lower.contains('?')
        || ["what", "who", "do you", "tell me"].iter().any(|w| lower.starts_with(w));
    if lower.contains("heartbeat_ok") {
        return "HEARTBEAT_OK".to_owned();
    }
    if let Some(text) = after(words, lower, &["say:", "echo:", "repeat:"]) {
        return text.to_owned();
    }
    if let Some(name) = name_in(words) {
        return format!(
            "Nice to meet you, {name}. I will know your name as long as this conversation lasts."
        );
    }
    if asks && (lower.contains("my name") || lower.contains("who am i")) {
        let known = before.iter().rev().find_map(|turn| match turn {
            Turn::Person(words) => name_in(words),
            _ => None,
        });
        return match known {
            Some(name) => format!("Your name is {name}."),
            None => "You have not told me your name yet. Write: my name is …".to_owned(),
        };
    }
    if asks
        && (lower.contains("what did i")
            || lower.contains("have i said")
            || lower.contains("do you remember"))
    {
        return recall(before);
    }
    if let Some(what) = after(words, lower, &["remember:", "remember that ", "please remember "]) {
        return format!("I will remember: {}", short(what, MOST_QUOTED));
    }
    let first = lower.split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
    if matches!(first, "hi" | "hello" | "hey" | "good" | "hallo" | "help") {
        return format!("Hello! {WHAT} {KEY}\n\n{TRICKS}");
    }
    format!("{WHAT} {KEY}\n\n{TRICKS}\n\nYour words were: {}", short(words, MOST_QUOTED))
}

fn recall(before: &[Turn]) -> String {
    let said: Vec<_> = before
        .iter()
        .filter_map(|turn| match turn {
            Turn::Person(words) => Some(format!("- {}", short(words, MOST_QUOTED))),
            _ => None,
        })
        .collect();
    if said.is_empty() {
        return "This is the first thing you have said in this conversation.".to_owned();
    }
    let from = said.len().saturating_sub(5);
    format!("This is what you said before:\n\n{}", said[from..].join("\n"))
}

/// The name in `my name is X`.
fn name_in(words: &str) -> Option<String> {
    const SAYS: &str = "my name is ";
    let at = words.to_ascii_lowercase().find(SAYS)? + SAYS.len();
    let rest = &words[at..];
    let end = rest.find(['.', ',', '!', '?', ';', '\n']).unwrap_or(rest.len());
    let name = rest[..end].split(" and ").next().unwrap_or("").trim();
    (!name.is_empty() && name.chars().count() <= 60).then(|| name.to_owned())
}

fn number_after(lower: &str, word: &str) -> Option<usize> {
    let rest = lower[lower.find(word)? + word.len()..].trim_start();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}

/// What follows one of the beginnings, if the words begin with one.
fn after<'w>(words: &'w str, lower: &str, beginnings: &[&str]) -> Option<&'w str> {
    beginnings
        .iter()
        .find(|beginning| lower.starts_with(**beginning))
        .map(|b| words[b.len()..].trim())
}

fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
