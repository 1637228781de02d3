use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn reader(wire: Wire, kind: &'static str) -> Reader {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Reader::of(wire, &headers)
}

fn read(wire: Wire, kind: &'static str, text: &str) -> Counts {
    let mut reader = reader(wire, kind);
    reader.feed(text.as_bytes());
    reader.counts()
}

const STREAM: &str = "text/event-stream; charset=utf-8";

const MESSAGES: &str = concat!(
    "event: message_start\n",
    r#"data: {"type":"message_start","message":{"id":"m","usage":{"input_tokens":25,"cache_creation_input_tokens":7,"cache_read_input_tokens":9,"output_tokens":1}}}"#,
    "\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\nevent: content_block_delta\n",
    r#"data: {"type":"content_block_delta","delta":{"text":"\"usage\":{\"output_tokens\":999}"},"usage":{"output_tokens":998}}"#,
    "\n\nevent: message_delta\n",
    r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}"#,
    "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);

#[test]
fn anthropic_streams() {
    let all = Counts { input: 25, output: 15, cache_read: 9, cache_write: 7 };
    assert_eq!(read(Wire::Messages, STREAM, MESSAGES), all);
    let cut = MESSAGES.split("event: message_delta").next().unwrap();
    assert_eq!(read(Wire::Messages, STREAM, cut), Counts { output: 1, ..all });
}

#[test]
fn anthropic_whole() {
    let text = r#"{"content":[{"text":"\"usage\":{}"}],"usage":{"input_tokens":3,"output_tokens":4,"cache_read_input_tokens":null,"service_tier":"standard"}}"#;
    let counts = Counts { input: 3, output: 4, ..Counts::default() };
    assert_eq!(read(Wire::Messages, "application/json", text), counts);
}

#[test]
fn openai_chat() {
    let stream = concat!(
        "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}],\"usage\":null}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":5,\"prompt_tokens_details\":{\"cached_tokens\":8}}}\n\n",
        "data: [DONE]\n\n"
    );
    let counts = Counts { input: 12, output: 5, cache_read: 8, cache_write: 0 };
    assert_eq!(read(Wire::Chat, STREAM, stream), counts);
    let whole = r#"{"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":8}}}"#;
    assert_eq!(read(Wire::Chat, "application/json", whole), counts);
}

#[test]
fn openai_responses() {
    let stream = concat!(
        "event: response.created\ndata: {\"response\":{\"usage\":null}}\n\n",
        "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"output\":[],\"usage\":{\"input_tokens\":36,\"input_tokens_details\":{\"cached_tokens\":6},\"output_tokens\":87}}}\n\n",
    );
    let counts = Counts { input: 30, output: 87, cache_read: 6, cache_write: 0 };
    assert_eq!(read(Wire::Responses, STREAM, stream), counts);
    let whole = r#"{"usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":6},"output_tokens":87}}"#;
    assert_eq!(read(Wire::Responses, "application/json", whole), counts);
}

#[test]
fn nonsense_counts_nothing() {
    for text in ["", "[]", "not json", r#"{"usage":"many"}"#, r#"{"usage":{"input_tokens":-1}}"#] {
        assert_eq!(read(Wire::Messages, "application/json", text), Counts::default(), "{text}");
    }
    assert_eq!(read(Wire::Messages, "text/html", MESSAGES), Counts::default());
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(STREAM));
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    assert!(matches!(Reader::of(Wire::Messages, &headers), Reader::Nothing));
}

proptest! {
    #[test]
    fn cutting_the_bytes_anywhere_changes_nothing(cuts in prop::collection::vec(1..40_usize, 1..60)) {
        let mut reader = reader(Wire::Messages, STREAM);
        let (mut rest, mut cut) = (MESSAGES.as_bytes(), cuts.iter().cycle());
        while !rest.is_empty() {
            let (piece, left) = rest.split_at((*cut.next().unwrap()).min(rest.len()));
            reader.feed(piece);
            rest = left;
        }
        prop_assert_eq!(reader.counts(), read(Wire::Messages, STREAM, MESSAGES));
    }
}
