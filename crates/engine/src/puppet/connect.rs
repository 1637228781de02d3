//! Who may connect, by the same rules as OpenClaw's trusted-proxy mode.

use http::HeaderMap;
use serde_json::{Value, json};

use super::config::Config;
use super::socket::Reply;
use super::{BUILD, Phase, Puppet, VERSION};

/// Who is connected.
#[derive(Debug, Clone, Default)]
pub(super) struct Guest {
    /// Whether the client is the page, whose messages are restart-safe.
    pub(super) page: bool,
    /// What the name in the header may do.
    pub(super) admin: bool,
    /// Whether more than a name may be shown: a page's device, approved by itself.
    pub(super) chat: bool,
}

/// Whether the request came through a proxy that says it came from this machine: refused whole.
pub(super) fn forged(headers: &HeaderMap) -> bool {
    let forwarded = text(headers, "x-forwarded-for");
    forwarded.is_some_and(|ip| ip.starts_with("127.") || ip == "::1" || ip == "localhost")
}

impl Config {
    /// The user whom the headers name, if they are complete.
    fn user<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        text(headers, "x-forwarded-for")?;
        let present = |name: &String| text(headers, name).is_some_and(|v| !v.trim().is_empty());
        if !self.required_headers.iter().all(present) {
            return None;
        }
        text(headers, &self.user_header).filter(|user| !user.is_empty())
    }
}

impl Puppet {
    /// Checks a `connect` request; its answer and, if it is accepted, who it is.
    pub(super) fn connect(
        &self,
        headers: &HeaderMap,
        params: &Value,
    ) -> Result<(Value, Guest), Reply> {
        if self.phase() == Phase::Starting {
            return Err(Reply::unavailable(
                "gateway starting; retry shortly",
                "startup-sidecars",
                500,
            ));
        }
        let config = self.config();
        let Some(user) = config.user(headers) else {
            return Err(Reply::refused("NOT_PAIRED", "device identity required"));
        };
        let client = &params["client"];
        let page = client["id"] == "openclaw-control-ui";
        let origin = text(headers, "origin");
        let allowed =
            origin.is_some_and(|o| config.origins.iter().any(|known| known == o || known == "*"));
        if (page || origin.is_some()) && !allowed {
            return Err(Reply::invalid("origin not allowed"));
        }
        if params["maxProtocol"] != 4 {
            return Err(Reply::invalid("protocol mismatch"));
        }
        if page && client["buildId"] != BUILD {
            return Err(Reply::invalid("protocol mismatch: Control UI updated; reload"));
        }
        let mut scopes = config.scopes.get(user).cloned().unwrap_or_default();
        let device = page && params["device"].is_object();
        if device {
            scopes.extend(["operator.read".to_owned(), "operator.write".to_owned()]);
        }
        let guest = Guest {
            page,
            admin: scopes.iter().any(|scope| scope == "operator.admin"),
            chat: scopes.iter().any(|scope| scope == "operator.write"),
        };
        Ok((self.hello(&scopes), guest))
    }

    fn hello(&self, scopes: &[String]) -> Value {
        let phase = if self.phase() == Phase::Suspended { "prepared" } else { "accepting" };
        json!({
            "type": "hello-ok", "protocol": 4,
            "server": {
                "version": VERSION, "buildId": BUILD,
                "bootId": format!("{:x}", self.inner.started.0),
            },
            "snapshot": {
                "suspension": { "phase": phase },
                "sessionDefaults": { "mainSessionKey": "agent:main:main" },
            },
            "auth": { "method": "trusted-proxy", "role": "operator", "scopes": scopes },
            "policy": { "maxPayload": 26_214_400,
                        "tickIntervalMs": millis(self.inner.play.tick) },
        })
    }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
