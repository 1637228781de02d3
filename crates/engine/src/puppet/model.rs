//! Puppet's model call: Anthropic Messages, streamed, by the provider of its configuration; or an
//! echo.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio_util::compat::FuturesAsyncReadCompatExt;

use super::{Puppet, rows};

/// Attempts at a provider that is overloaded.
const ATTEMPTS: u32 = 4;

/// A piece of the answer.
pub(super) enum Said {
    /// More of it.
    More(String),
    /// What was said so far does not count: it is tried again.
    Anew,
}

/// Asks for the answer to a transcript, or says why there is none.
pub(super) async fn ask(
    puppet: &Puppet,
    rows: &[Value],
    mut tell: impl FnMut(Said),
) -> Result<String, String> {
    if puppet.inner.play.echo {
        return Ok(echo(rows, tell).await);
    }
    puppet.look_at_file();
    let mut wait = Duration::from_millis(100);
    for _ in 1..ATTEMPTS {
        match post(puppet, rows, &mut tell).await {
            Ok(text) => return Ok(text),
            Err(Failed::ForGood(why)) => return Err(why),
            Err(Failed::Now(_)) => {
                tell(Said::Anew);
                tokio::time::sleep(wait).await;
                wait *= 4;
            }
        }
    }
    post(puppet, rows, &mut tell).await.map_err(|(Failed::ForGood(why) | Failed::Now(why))| why)
}

async fn echo(rows: &[Value], mut tell: impl FnMut(Said)) -> String {
    let people = rows.iter().filter(|row| row["role"] == "user").map(rows::text);
    let said: Vec<String> = people.filter(|text| !text.starts_with("[System] ")).collect();
    let last = said.last().cloned().unwrap_or_default();
    let slow = last
        .split("slow:")
        .nth(1)
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    if let Some(ms) = slow.and_then(|ms| ms.parse().ok()) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    let answer = format!("echo {}: {last}", said.len());
    for word in answer.split_inclusive(' ') {
        tell(Said::More(word.to_owned()));
        tokio::task::yield_now().await;
    }
    answer
}

enum Failed {
    /// Trying again may help.
    Now(String),
    /// It will not.
    ForGood(String),
}

async fn post(
    puppet: &Puppet,
    rows: &[Value],
    tell: &mut impl FnMut(Said),
) -> Result<String, Failed> {
    let now = |e: &dyn std::fmt::Display| Failed::Now(e.to_string());
    let config = puppet.config();
    let conn = puppet.inner.outbound.dial(config.model_port).await.map_err(|e| now(&e))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(conn.compat()))
            .await
            .map_err(|e| now(&e))?;
    // The call ends when the turn does: nothing of it may outlive a kill.
    let mut connection = std::pin::pin!(connection);
    let request = request(puppet, rows).map_err(|e| Failed::ForGood(e.to_string()))?;
    let call = async {
        let answer = sender.send_request(request).await.map_err(|e| now(&e))?;
        let status = answer.status();
        if !status.is_success() {
            let body = Limited::new(answer.into_body(), 64 << 10).collect().await;
            let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let why = format!("platform/{}: HTTP {status} {}", config.model, message_of(&body));
            let later = status.as_u16() == 429 || status.is_server_error();
            return Err(if later { Failed::Now(why) } else { Failed::ForGood(why) });
        }
        read(answer.into_body(), tell).await
    };
    let mut call = std::pin::pin!(call);
    tokio::select! {
        biased;
        done = &mut call => done,
        _ = &mut connection => call.await,
    }
}

fn message_of(body: &Bytes) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["error"]["message"].as_str().unwrap_or_default().to_owned()
}

fn request(puppet: &Puppet, rows: &[Value]) -> Result<Request<Full<Bytes>>, http::Error> {
    let config = puppet.config();
    let said = rows.iter().filter(|row| matches!(row["role"].as_str(), Some("user" | "assistant")));
    let messages: Vec<Value> = said
        .map(|row| {
            let content = json!([{ "type": "text", "text": rows::text(row) }]);
            json!({ "role": row["role"], "content": content })
        })
        .collect();
    let body = json!({
        "model": config.model, "max_tokens": 8_192, "stream": true,
        "system": [{ "type": "text", "text": "You are a pretend engine's assistant." }],
        "messages": messages,
    });
    Request::post("/v1/messages")
        .header("host", format!("127.0.0.1:{}", config.model_port))
        .header("content-type", "application/json")
        .header("anthropic-version", "2023-06-01")
        .header("x-api-key", &config.model_key)
        .body(Full::new(Bytes::from(body.to_string())))
}

/// Reads server-sent events until `message_stop`.
async fn read(
    mut body: hyper::body::Incoming,
    tell: &mut impl FnMut(Said),
) -> Result<String, Failed> {
    let cut = || Failed::Now("the answer was cut off".into());
    let (mut rest, mut text) = (Vec::new(), String::new());
    loop {
        let frame = body.frame().await.ok_or_else(cut)?.map_err(|_| cut())?;
        if let Ok(data) = frame.into_data() {
            rest.extend_from_slice(&data);
        }
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            let Some(data) = line.strip_prefix(b"data: ") else { continue };
            let event: Value = serde_json::from_slice(data).unwrap_or_default();
            match event["type"].as_str() {
                Some("content_block_delta") => {
                    let more = event["delta"]["text"].as_str().unwrap_or_default();
                    text.push_str(more);
                    tell(Said::More(more.to_owned()));
                }
                Some("message_stop") => return Ok(text),
                Some("error") => {
                    let why = event["error"]["message"].as_str().unwrap_or("the provider failed");
                    return Err(Failed::Now(why.to_owned()));
                }
                _ => {}
            }
        }
    }
}
