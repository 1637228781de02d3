//! One request of a box, answered: who it is, what it means, who answers, and the answer relayed.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use smartbox_core::activity::Doing;
use smartbox_core::id::SmartboxId;
use smartbox_core::model::Caller;
use smartbox_core::secret::Secret;
use smartbox_core::telemetry::TRACE;
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::call::authenticate;
use crate::call::forward::{Ask, forward};
use crate::call::headers;
use crate::call::inbound::Inbound;
use crate::call::limits::Held;
use crate::call::peek::{Peeked, peek};
use crate::call::refuse::Refusal;
use crate::call::relay::{Cut, Relay, Reply};
use crate::call::route::{self, Route};
use crate::call::scrub::Scrub;
use crate::demo::{self, DemoConfig};
use crate::gateway::{Inner, Provider};
use crate::meter::read::Reader;
use crate::meter::{Call, Meter};
use crate::provider::{Protocol, choose};

/// The name of the built-in provider.
pub(crate) const DEMO: &str = "demo";

/// Answers one request.
pub(crate) async fn answer(gateway: &Inner, caller: &Caller, request: Request<Incoming>) -> Reply {
    let protocol = route::spoken(&request);
    if !authenticate::is_caller(request.headers(), caller) {
        tracing::warn!(smartbox = %caller.id, "a model call without the box's token was refused");
        return Refusal::Token.reply(protocol);
    }
    let Some(route) = Route::of(&request) else { return Refusal::Route.reply(protocol) };
    match serve(gateway, caller, route, request).await {
        Ok(reply) => reply,
        Err(refusal) => {
            tracing::info!(smartbox = %caller.id, %refusal, "a model call was refused");
            refusal.reply(route.protocol())
        }
    }
}

async fn serve(
    gateway: &Inner,
    caller: &Caller,
    route: Route,
    request: Request<Incoming>,
) -> Result<Reply, Refusal> {
    let id = &caller.id;
    let most = gateway.limits.calls;
    let place = gateway.in_flight.enter(id, most).ok_or(Refusal::TooMany(most))?;
    let held = Held { _busy: gateway.activity.begin(id, Doing::ModelCall), _place: place };
    let (head, body) = request.into_parts();
    let mut body = match route {
        Route::Models(_) => None,
        _ if headers::is_encoded(&head.headers) => return Err(Refusal::Encoded),
        _ => Some(peek(Inbound::new(body, &gateway.limits)?, &gateway.held).await?),
    };
    let model = body.as_ref().map(|body| body.model().to_owned());
    let chosen = match caller.demo {
        true => Chosen::Demo(&gateway.rehearsal),
        false => choose(gateway, id, route.protocol(), model.as_deref()).await?,
    };
    let name = match &chosen {
        Chosen::Provider(provider, _) => provider.config.name.as_str(),
        Chosen::Demo(_) => DEMO,
    };
    let call = route.wire().map(|_| Call {
        id: id.clone(),
        provider: name.to_owned(),
        model: model.clone().unwrap_or_default(),
    });
    let span = if call.is_some() { span(gateway, id, name) } else { Span::none() };
    let (clock, recorder) = (gateway.clock.clone(), gateway.recorder.clone());
    let mut meter = Meter::begin(call, span, clock, recorder, held);
    let answered = match &chosen {
        Chosen::Demo(config) => demonstrate(config, route, body, &mut meter).await,
        Chosen::Provider(provider, key) => {
            if let (Some(body), Some(model)) = (&mut body, &model)
                && let Some(other) = choose::renamed(&provider.config, model)
            {
                body.rename(other);
            }
            let ask = Ask { route, query: head.uri.query(), headers: &head.headers, body };
            match forward(provider, key.as_ref(), ask).await {
                Ok(response) => accepted(provider, &response)
                    .map(|()| relayed(provider, key.as_ref(), route, response, &mut meter)),
                Err(refusal) => Err(refusal),
            }
        }
    };
    match answered {
        Ok(answered) => Ok(answered.reply(meter)),
        Err(refusal) => {
            meter.refused(refusal.status(route.protocol()).as_u16());
            Err(refusal)
        }
    }
}

/// Of a call, for whoever collects. No model: a box writes its name.
fn span(gateway: &Inner, id: &SmartboxId, provider: &str) -> Span {
    let span = info_span!(
        target: TRACE, parent: None, "model.call", otel.kind = "client", smartbox.id = %id,
        gen_ai.provider.name = provider, http.response.status_code = Empty,
        gen_ai.usage.input_tokens = Empty, gen_ai.usage.output_tokens = Empty,
        otel.status_code = Empty,
    );
    (gateway.cause)(id, &span);
    span
}

/// Who answers.
enum Chosen<'g> {
    Provider(&'g Provider, Option<Secret<String>>),
    Demo(&'g DemoConfig),
}

async fn choose<'g>(
    gateway: &'g Inner,
    id: &SmartboxId,
    protocol: Protocol,
    model: Option<&str>,
) -> Result<Chosen<'g>, Refusal> {
    let meant = model.is_some_and(choose::is_demo) || gateway.preferred.as_deref() == Some(DEMO);
    if let (Some(demo), true) = (&gateway.demo, meant) {
        return Ok(Chosen::Demo(demo));
    }
    let spoken = || gateway.providers.iter().filter(move |p| p.config.protocol == protocol);
    let eligible: Vec<&Provider> = match model {
        None => spoken().collect(),
        Some(model) => {
            let configs: Vec<_> = gateway.providers.iter().map(|p| &p.config).collect();
            let order = choose::order(&configs, gateway.preferred.as_deref(), protocol, model);
            order.into_iter().map(|at| &gateway.providers[at]).collect()
        }
    };
    for provider in &eligible {
        if let Some(key) = key(gateway, id, provider).await? {
            return Ok(Chosen::Provider(provider, key));
        }
    }
    // A key for other models means that the person is past the demo: say so instead.
    for provider in spoken().filter(|p| !eligible.iter().any(|e| e.config.name == p.config.name)) {
        if let (Some(_), Some(model)) = (key(gateway, id, provider).await?, model) {
            return Err(Refusal::Model(model.to_owned()));
        }
    }
    let missing = eligible.iter().copied().chain(spoken()).find_map(|p| p.config.secret.clone());
    gateway.demo.as_ref().map(Chosen::Demo).ok_or_else(|| match missing {
        Some(secret) => Refusal::Key(secret),
        None => Refusal::Model(model.unwrap_or_default().to_owned()),
    })
}

/// The provider's key for this box: `None` if it wants one and there is none, `Some(None)` if it
/// wants none.
async fn key(
    gateway: &Inner,
    id: &SmartboxId,
    provider: &Provider,
) -> Result<Option<Option<Secret<String>>>, Refusal> {
    let Some(secret) = provider.config.secret.clone() else { return Ok(Some(None)) };
    match gateway.release.release(id.clone(), secret).await {
        Ok(key) => Ok(key.filter(|key| !key.expose().trim().is_empty()).map(Some)),
        Err(error) => {
            tracing::error!(smartbox = %id, %error, "the vault did not release a model key");
            Err(Refusal::Vault)
        }
    }
}

/// An answer that is ready to be relayed.
struct Answered {
    head: Response<()>,
    body: crate::call::relay::Bytestream,
    idle: Duration,
    scrub: Option<Scrub>,
}

impl Answered {
    fn reply(self, meter: Meter) -> Reply {
        let relay = Relay::new(self.body, self.idle, self.scrub, meter);
        self.head.map(|()| relay.boxed_unsync())
    }
}

/// What a provider has against the installation's own key is the owner's to mend, not the box's.
fn accepted(provider: &Provider, response: &reqwest::Response) -> Result<(), Refusal> {
    let status = response.status();
    let (name, Some(secret)) = (&provider.config.name, &provider.config.secret) else {
        return Ok(());
    };
    let account = [StatusCode::UNAUTHORIZED, StatusCode::PAYMENT_REQUIRED, StatusCode::FORBIDDEN];
    if !account.contains(&status) {
        return Ok(());
    }
    tracing::warn!(provider = name, %status, secret, "the provider refuses the key in this secret");
    let (provider, secret) = (name.clone(), secret.clone());
    Err(Refusal::Account { provider, secret, status: status.as_u16() })
}

fn relayed(
    provider: &Provider,
    key: Option<&Secret<String>>,
    route: Route,
    response: reqwest::Response,
    meter: &mut Meter,
) -> Answered {
    let status = response.status();
    match route.wire() {
        Some(wire) if status.is_success() => {
            meter.answering(status.as_u16(), Reader::of(wire, response.headers()));
        }
        _ => meter.refused(status.as_u16()),
    }
    let scrub = key.and_then(Scrub::new);
    let mut head = Response::new(());
    *head.status_mut() = status;
    *head.headers_mut() = headers::down(response.headers(), scrub.as_ref());
    let body = response.bytes_stream().map_err(|error| Cut::Broken(error.without_url().into()));
    Answered { head, body: Box::pin(body), idle: provider.config.timeouts.idle, scrub }
}

async fn demonstrate(
    config: &DemoConfig,
    route: Route,
    body: Option<Peeked>,
    meter: &mut Meter,
) -> Result<Answered, Refusal> {
    let (body, _place) = match body {
        Some(body) => body.whole().await?,
        None => (Vec::new(), None),
    };
    let (head, body) = demo::answer(config, route, &body)?.into_parts();
    if let Some(wire) = route.wire() {
        meter.answering(head.status.as_u16(), Reader::of(wire, &head.headers));
    }
    // The demo's own pauses are no silence.
    Ok(Answered {
        head: Response::from_parts(head, ()),
        body,
        idle: Duration::from_secs(3600),
        scrub: None,
    })
}
