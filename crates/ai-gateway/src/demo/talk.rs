//! A conversation as a request carries it, in either vendor's words, reduced to what the demo
//! model understands. Anything else in it is passed over.

use serde_json::Value;

use crate::demo::text;

/// One step of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Turn {
    /// A person's own words.
    Person(String),
    /// The model's words.
    Model(String),
    /// The model called a tool: the command it wished to run.
    Called(String),
    /// What the tool gave back.
    Result {
        /// Its text.
        text: String,
        /// Whether it says of itself that it failed.
        failed: bool,
    },
}

/// A tool that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tool {
    /// Its name.
    pub(crate) name: String,
    /// Which of its inputs takes the command.
    pub(crate) input: String,
}

/// A conversation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Talk {
    /// From the beginning.
    pub(crate) turns: Vec<Turn>,
    /// A tool that runs commands, if one is offered.
    pub(crate) shell: Option<Tool>,
    /// Whether the answer is to be streamed.
    pub(crate) stream: bool,
    /// Whether the stream is to end with its usage (OpenAI's words only).
    pub(crate) include_usage: bool,
}

/// Names under which engines offer a tool that runs commands.
const SHELLS: [&str; 3] = ["exec", "bash", "shell"];

/// Reads an Anthropic Messages request.
pub(crate) fn messages(request: &Value) -> Talk {
    let mut talk = Talk { stream: request["stream"] == true, ..Talk::default() };
    for message in each(&request["messages"]) {
        let person = message["role"] == "user";
        for (kind, block) in blocks(&message["content"]) {
            match kind {
                "text" if person => talk.person(&plain(block)),
                "text" => talk.turns.push(Turn::Model(plain(block))),
                "tool_use" => talk.turns.push(Turn::Called(command(&block["input"]))),
                "tool_result" => talk.turns.push(Turn::Result {
                    text: plain(&block["content"]),
                    failed: block["is_error"] == true,
                }),
                _ => {}
            }
        }
    }
    talk.shell = each(&request["tools"]).find_map(|tool| shell(tool, &tool["input_schema"]));
    talk
}

/// Reads an OpenAI chat completions request.
pub(crate) fn chat(request: &Value) -> Talk {
    let mut talk = Talk {
        stream: request["stream"] == true,
        include_usage: request["stream_options"]["include_usage"] == true,
        ..Talk::default()
    };
    for message in each(&request["messages"]) {
        let text = plain(&message["content"]);
        match message["role"].as_str() {
            Some("user") => {
                for (_, block) in blocks(&message["content"]) {
                    talk.person(&plain(block));
                }
            }
            Some("assistant") => {
                if !text.is_empty() {
                    talk.turns.push(Turn::Model(text));
                }
                for call in each(&message["tool_calls"]) {
                    let input = call["function"]["arguments"].as_str().unwrap_or("");
                    let input = serde_json::from_str(input).unwrap_or_default();
                    talk.turns.push(Turn::Called(command(&input)));
                }
            }
            Some("tool") => talk.turns.push(Turn::Result { text, failed: false }),
            _ => {}
        }
    }
    talk.shell = each(&request["tools"])
        .find_map(|tool| shell(&tool["function"], &tool["function"]["parameters"]));
    talk
}

impl Talk {
    fn person(&mut self, text: &str) {
        let own = text::own(text);
        if !own.is_empty() {
            self.turns.push(Turn::Person(own));
        }
    }
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// A message's content: a text stands for one block of it.
fn blocks(content: &Value) -> Vec<(&str, &Value)> {
    match content {
        Value::String(_) => vec![("text", content)],
        _ => each(content).map(|b| (b["type"].as_str().unwrap_or(""), b)).collect(),
    }
}

/// The text of a text, of a block, or of all blocks of a list.
fn plain(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => {
            blocks.iter().map(plain).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
        }
        Value::Object(block) => block.get("text").map(plain).unwrap_or_default(),
        _ => String::new(),
    }
}

fn command(input: &Value) -> String {
    let texts = input.as_object().into_iter().flatten();
    let mut texts = texts.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    let first = texts.clone().next();
    texts
        .find(|(name, _)| matches!(*name, "command" | "cmd"))
        .or(first)
        .map(|(_, text)| text.to_owned())
        .unwrap_or_default()
}

fn shell(tool: &Value, schema: &Value) -> Option<Tool> {
    let name = tool["name"].as_str().filter(|name| SHELLS.contains(name))?;
    let known =
        ["command", "cmd"].into_iter().find(|input| schema["properties"][input].is_object());
    let input = known.or_else(|| schema["required"][0].as_str()).unwrap_or("command");
    Some(Tool { name: name.to_owned(), input: input.to_owned() })
}
