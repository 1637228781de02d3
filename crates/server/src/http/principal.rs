//! Who acts: the local command line, a bearer of a token, or a browser's session; for whom, and what
//! they may. What is a whole account's is reached by [`Principal::account`], what is a box's by the
//! [`Reach`] of the one who asks: both know what the route needs, and neither can be gone around.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};
use smartbox_api::dpop;
use smartbox_api::paths::ACCOUNT_HEADER;
use smartbox_api::problem::Code;
use smartbox_control::{Actor, ControlError, Note, Reach};
use smartbox_core::audit;
use smartbox_core::device::DeviceId;
use smartbox_core::id::{AccountId, SmartboxId};
use smartbox_core::person::Right;
use smartbox_core::secret::Secret;
use smartbox_core::smartbox::Smartbox;
use smartbox_core::store;

use super::cut::{Watch, Witness};
use super::{cookie, trouble::Trouble, vouched};
use crate::access::{Bearer, Caller, Seat, Stage, Unproven, Wanted};
use crate::app::App;

/// The header of the original's admin calls.
pub(super) const ADMIN_SECRET: &str = "x-admin-secret";

/// Who is at the other end of the connection, as the listener knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A process of our own uid, on the socket in the data directory.
    Local {
        /// Its uid.
        uid: u32,
    },
    /// Someone who came by TCP.
    Tcp(std::net::SocketAddr),
}

/// Who acts, for which account, and what that takes.
#[derive(Debug, Clone)]
pub(super) struct Principal {
    caller: Caller,
    /// For the audit.
    pub(super) actor: Actor,
    /// By a cookie, which a browser sends whoever made it ask.
    pub(super) by_cookie: bool,
    /// An operator who said for which account: what he names is looked for there alone.
    acting: bool,
    /// That account is not the one that he is in.
    visits: bool,
    /// What the route needs.
    needs: Right,
    /// The browser that they come by, if by one that has a session.
    browser: Option<Browser>,
    /// By what it is known whether they may still, while a connection is open.
    watch: Option<Watch>,
    /// The smartbox that they asked for.
    found: Note,
}

/// A browser that has a session on the platform's origin.
#[derive(Debug, Clone)]
pub(super) struct Browser {
    pub(super) seat: Arc<Seat>,
    /// What its cookie is.
    pub(super) cookie: Arc<Secret<String>>,
    pub(super) stage: Stage,
}

impl Browser {
    /// Takes a proof of this key that fits, for the first time: with those of the device if it is this
    /// browser's, with strangers' if it is not, or not yet.
    pub(super) fn spends(
        &self,
        app: &App,
        parts: &Parts,
        by: &DeviceId,
        proof: &dpop::Proof,
    ) -> Result<(), Unproven> {
        let (proofs, now) = (&app.access.proofs, app.clock.now());
        match &self.seat.device {
            Some(device) if device.id == *by => proofs.of_device(by, proof, now),
            _ => proofs.of_stranger(address(parts).map(Into::into), proof, now),
        }
    }

    /// Whether it has a key, and has to show it to get into a box.
    pub(super) fn is_keyed(&self) -> bool {
        self.seat.device.as_ref().is_some_and(|device| device.key.is_some())
    }
}

impl Principal {
    fn of(caller: Caller) -> Self {
        let actor = Actor(caller.actor.clone());
        Self {
            caller,
            actor,
            by_cookie: false,
            acting: false,
            visits: false,
            needs: Right::Read,
            browser: None,
            watch: None,
            found: Note::default(),
        }
    }

    fn watched(self, watch: Watch) -> Self {
        Self { watch: Some(watch), ..self }
    }

    /// How long a connection of theirs may be open; `None`: as long as they like.
    pub(super) fn watch(&self) -> Option<(Watch, Held)> {
        let acting = self.acting.then(|| self.caller.account.clone());
        let held = Held { needs: self.needs, acting, found: self.found.clone() };
        self.watch.clone().map(|watch| (watch, held))
    }

    /// Whether somebody, as the records have them now, may have open what they opened before.
    pub(super) async fn may_hold(
        app: &App,
        mut caller: Caller,
        held: &Held,
    ) -> Result<bool, Trouble> {
        if let Some(account) = &held.acting {
            caller.account.clone_from(account);
            caller.right = caller.operator;
        }
        let who =
            Self { acting: held.acting.is_some(), needs: held.needs, ..Self::of(caller.clone()) };
        if who.everywhere() {
            return Ok(true);
        }
        // What is shared with somebody is theirs by that box alone, and a member may be shut out of the
        // account and not of the box.
        let Some(id) = held.found.get() else {
            return Ok(caller.right.max(caller.operator).min(Some(caller.cap)) >= Some(held.needs));
        };
        match app.control.find(&who, id.as_str()).await {
            Ok(_) => Ok(true),
            Err(ControlError::Missing { .. } | ControlError::Forbidden { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The browser that they come by, if by one that has a session.
    pub(super) fn browser(&self) -> Option<&Browser> {
        self.browser.as_ref()
    }

    /// They themselves, if they come by nothing that has to prove itself first, or to wait.
    fn ready(self) -> Result<Self, Trouble> {
        match self.browser.as_ref().map(|browser| browser.stage) {
            None | Some(Stage::In) => Ok(self),
            Some(Stage::Unproven) => {
                Err(Trouble::unproven("this browser has not shown its key for a while"))
            }
            Some(Stage::Waits) => Err(Trouble::not_let_in(
                "nobody has let this browser in yet",
                "open the platform's page in it: it shows what to do",
            )),
        }
    }

    /// The same, as the audit has them who come by the network.
    fn from(mut self, parts: &Parts) -> Self {
        self.caller.actor = audit::by(&self.caller.actor, address(parts));
        self.actor = Actor(self.caller.actor.clone());
        self
    }

    /// The account that they act for, for something that is all of it, or none of its smartboxes.
    pub(super) fn account(&self) -> Result<&AccountId, Trouble> {
        if self.caller.only.is_some() {
            let hint = "use a token of the account: `smartbox token create`";
            return Err(Trouble::new(Code::Forbidden, "this token is for one smartbox", hint));
        }
        match self.caller.right {
            Some(right) if right >= self.needs => Ok(&self.caller.account),
            _ => Err(Trouble::less(self.needs)),
        }
    }

    /// The account whose names they mean; says nothing of what they may there.
    pub(super) fn home(&self) -> &AccountId {
        &self.caller.account
    }

    /// Who they are, wherever they come from: whoever has a network has as many addresses as they like.
    pub(super) fn name(&self) -> &str {
        audit::who(&self.caller.actor).0
    }

    /// The device that they are, by its own token; of what it made, which it may have given away, none.
    pub(super) fn device(&self) -> Option<&DeviceId> {
        let root = &self.caller.root;
        root.device.as_ref().filter(|_| root.session.is_none() && root.token.is_none())
    }

    /// Whom they stand for, for what they begin.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// How much they may at the most, whatever it is done to. An operator who only looks still owns what is
    /// theirs.
    pub(super) fn most(&self) -> Right {
        let own = match self.caller.person {
            Some(_) => Some(Right::Own),
            None => self.caller.right,
        };
        own.max(self.caller.operator).unwrap_or(Right::Read).min(self.caller.cap)
    }

    /// Whether they may so much with everything in the installation, and that for themselves: what an operator
    /// who is somebody in particular does with it they do as long as they are one.
    pub(super) fn gives_everywhere(&self, right: Right) -> bool {
        self.caller.person.is_none() && !self.acting && self.caller.operator >= Some(right)
    }

    /// Whether they are somebody in particular who acts for an account by being an operator alone.
    pub(super) fn stands_in(&self) -> bool {
        self.visits && self.caller.person.is_some()
    }

    /// A key under which they did something. What others of the account did is not theirs to see again.
    pub(super) fn keyed(&self, key: String) -> String {
        match &self.caller {
            Caller { person: None, only: None, cap: Right::Own, .. } => key,
            // Whoever asks again may come from elsewhere.
            _ => hex::encode(Sha256::digest(format!("{}\n{key}", self.name()))),
        }
    }

    /// Whether they run the installation, as far as the route needs. Beyond that they are who they are
    /// besides: an owner who looks at everything still owns what is theirs.
    pub(super) fn operates(&self) -> bool {
        self.caller.operator >= Some(self.needs)
    }

    /// Whether they run all of the installation, whatever the route needs.
    pub(super) fn runs(&self) -> bool {
        self.caller.operator >= Some(Right::Own)
    }

    /// Whether they see every account: an operator who named none.
    pub(super) fn everywhere(&self) -> bool {
        self.operates() && !self.acting
    }

    /// Whether something is within reach that hangs on a box, or else on the whole of an account.
    pub(super) async fn reaches(
        &self,
        app: &App,
        account: &AccountId,
        smartbox: Option<&SmartboxId>,
    ) -> Result<bool, Trouble> {
        if self.everywhere() {
            return Ok(true);
        }
        let home = account == self.home();
        // What was done to a box that is gone is the account's to know, too.
        if home && self.account().is_ok() {
            return Ok(true);
        }
        if let Some(id) = smartbox {
            match app.control.find(self, id.as_str()).await {
                Ok(_) => return Ok(true),
                Err(ControlError::Missing { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Whoever has nothing of the account is not told what there is in it.
        if home && self.caller.only.is_none() && self.caller.right.is_some() {
            return self.account().map(|_| true);
        }
        Ok(false)
    }

    /// Looks at what the route needs, as far as that can be said before anything is looked for.
    pub(super) fn needing(mut self, needs: Right) -> Result<Self, Trouble> {
        self.needs = needs;
        let own = match self.caller.person {
            // By what is shared with them, people may more with a box than with its account.
            Some(_) => self.caller.cap,
            None => self.caller.right.unwrap_or(Right::Read),
        };
        let may = self.caller.operator.map_or(own, |operator| operator.max(own));
        if may < needs { Err(Trouble::less(needs)) } else { Ok(self) }
    }

    /// Looks whether they run as much of the installation as the route needs.
    pub(super) fn operating(mut self, needs: Right) -> Result<Self, Trouble> {
        self.needs = needs;
        match self.caller.operator {
            Some(right) if right >= needs => Ok(self),
            Some(_) => Err(Trouble::less(needs)),
            None => Err(Trouble::new(
                Code::Forbidden,
                "this is for operators",
                "use the command line on the platform's own machine, the master token, or an operator's key",
            )),
        }
    }

    /// Whether they may this with all of the account that they act for.
    pub(super) fn may(&self, right: Right) -> bool {
        self.caller.only.is_none() && self.caller.right >= Some(right)
    }

    /// For whom they let something in: for themselves, or for an account that they only look after.
    pub(super) fn host(&self) -> Caller {
        let mut by = self.caller.clone();
        if self.visits {
            by.person = None;
        }
        by
    }

    /// The same person, acting for the account that the request names.
    pub(super) async fn acting(self, app: &App, parts: &Parts) -> Result<Self, Trouble> {
        let mut named = parts.headers.get_all(ACCOUNT_HEADER).iter();
        let (Some(value), second) = (named.next(), named.next()) else { return Ok(self) };
        let name = match (value.to_str(), second) {
            (Ok(name), None) => name,
            _ if self.operates() => {
                return Err(Trouble::new(Code::BadRequest, "the account is not understood", ""));
            }
            _ => "",
        };
        self.acting_for(app, name).await
    }

    /// The same operator, acting for the account with this name or id.
    pub(super) async fn acting_for(mut self, app: &App, account: &str) -> Result<Self, Trouble> {
        if !self.operates() {
            let detail = "only an operator acts for another account";
            let hint = "leave out `--account` and SMARTBOX_ACCOUNT: the token says whose it is";
            return Err(Trouble::new(Code::Forbidden, detail, hint));
        }
        let account = app.control.account(account).await?.id;
        self.visits |= account != self.caller.account;
        self.caller.account = account;
        self.caller.right = self.caller.operator;
        self.acting = true;
        Ok(self)
    }
}

impl From<&Principal> for Reach {
    fn from(who: &Principal) -> Self {
        Self {
            account: who.caller.account.clone(),
            right: who.caller.right,
            person: who.caller.person.clone(),
            only: who.caller.only.clone(),
            most: who.caller.cap,
            everywhere: who.everywhere(),
            needs: who.needs,
            found: who.found.clone(),
        }
    }
}

/// What hangs on it whether they still may.
#[derive(Debug, Clone)]
pub(super) struct Held {
    /// What the route needs.
    needs: Right,
    /// For which account an operator acts.
    acting: Option<AccountId>,
    /// The smartbox that it is about; known once it was found.
    found: Note,
}

/// Whose something is that is kept for one box or for all of an account: the box that is named, if one
/// is, and the account in whose audit it stands.
pub(super) async fn whose(
    app: &App,
    who: &Principal,
    of: Option<&str>,
) -> Result<(Option<SmartboxId>, AccountId), Trouble> {
    Ok(match of {
        Some(name) => {
            let row = app.control.find(who, name).await?;
            (Some(row.id), row.account)
        }
        None => (None, who.account()?.clone()),
    })
}

/// Notes in the audit of a box's owner what somebody does to it that leaves no other trace there.
pub(super) async fn tell(
    app: &App,
    who: &Principal,
    row: &Smartbox,
    action: &str,
) -> Result<(), Trouble> {
    let act = audit::Act {
        account: row.account.clone(),
        actor: who.actor.0.clone(),
        action: action.to_owned(),
        smartbox: Some(row.id.clone()),
        detail: String::new(),
        at: app.clock.now(),
    };
    let noted =
        store::write(&*app.store, |tx| Box::pin(async move { tx.audit().append(act).await }));
    Ok(noted.await?)
}

/// Where a request comes from; `None` by the local socket.
pub(super) fn address(parts: &Parts) -> Option<IpAddr> {
    match parts.extensions.get::<Peer>() {
        Some(Peer::Tcp(peer)) => Some(peer.ip().to_canonical()),
        _ => None,
    }
}

/// Whether a request brings something that somebody would have to know. A cookie that is over is an old
/// page's, and no attempt.
pub(super) fn tries(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION) || headers.contains_key(ADMIN_SECRET)
}

/// Finds out who acts; `None` if nobody who is known. A bearer that is wrong is not made good by a
/// cookie.
pub(super) async fn find(app: &App, parts: &Parts) -> Result<Option<Principal>, Trouble> {
    come(app, parts).await?.map(Principal::ready).transpose()
}

/// The same, also if they come by a browser that has to prove itself first, or that nobody has let in.
/// What such a one may reach is what asks so, and nothing else.
pub(super) async fn come(app: &App, parts: &Parts) -> Result<Option<Principal>, Trouble> {
    Ok(known(app, parts).await?.map(|who| who.from(parts)))
}

async fn known(app: &App, parts: &Parts) -> Result<Option<Principal>, Trouble> {
    let first = || app.account.id.clone();
    // Before anything is looked up: whoever is shut out meanwhile is noticed.
    let ended = app.access.ended();
    if let Some(Peer::Local { uid }) = parts.extensions.get::<Peer>() {
        return Ok(Some(Principal::of(Caller::operator(first(), format!("cli:uid={uid}")))));
    }
    if let Some(value) = parts.headers.get(AUTHORIZATION) {
        let Some((scheme, token)) = value.to_str().ok().and_then(|text| text.split_once(' '))
        else {
            return Ok(None);
        };
        let token = token.trim();
        let watch = || Watch::new(ended, Witness::token(token));
        if scheme.eq_ignore_ascii_case(dpop::SCHEME) {
            let (id, proof) = shown(app, parts, Some(token))?;
            let Some(caller) = app.access.bound(token, &id).await? else { return Ok(None) };
            // Now that it is a device's: what strangers send takes no place of one that is let in.
            app.access.proofs.of_device(&id, &proof, app.clock.now()).map_err(spent)?;
            return Ok(Some(Principal::of(caller).watched(watch())));
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Ok(None);
        }
        return Ok(app.access.bearer(token).await?.map(|bearer| match bearer {
            Bearer::Master => Principal::of(Caller::operator(first(), "master-token".into())),
            Bearer::Token(caller) => Principal::of(caller).watched(watch()),
        }));
    }
    for value in cookie::values(&parts.headers, &app.site.cookie()) {
        if let Some(seat) = app.access.seat(value, None).await? {
            let cookie = Arc::new(Secret::new(value.to_owned()));
            let (who, stage) = (Principal::of(seat.caller()), seat.stage(app.clock.now()));
            let browser = Browser { seat: Arc::new(seat), cookie: cookie.clone(), stage };
            let who = Principal { by_cookie: true, browser: Some(browser), ..who };
            return Ok(Some(who.watched(Watch::new(ended, Witness::Cookie(cookie)))));
        }
    }
    if let Some(found) = vouched::find(app, parts).await? {
        let watch = Watch::new(ended, Witness::Word(Box::new(found.caller.clone())));
        let who = Principal { by_cookie: !found.service, ..Principal::of(found.caller) };
        return Ok(Some(who.watched(watch)));
    }
    Ok(None)
}

/// The device whose key made the proof that came with this request, for exactly this request and for the
/// first time, and what the proof says besides. It may be anybody's.
pub(super) fn proven(app: &App, parts: &Parts) -> Result<(DeviceId, dpop::Proof), Trouble> {
    let (id, proof) = shown(app, parts, None)?;
    let from = address(parts).map(Into::into);
    app.access.proofs.of_stranger(from, &proof, app.clock.now()).map_err(spent)?;
    Ok((id, proof))
}

/// The same, though it may have been here before.
fn shown(
    app: &App,
    parts: &Parts,
    token: Option<&str>,
) -> Result<(DeviceId, dpop::Proof), Trouble> {
    let mut sent = parts.headers.get_all(dpop::HEADER).iter();
    let text = match (sent.next().map(HeaderValue::to_str), sent.next()) {
        (Some(Ok(text)), None) => text,
        _ => return Err(unproven("there is not exactly one DPoP proof")),
    };
    let proof = fitting(app, parts, text, token).map_err(unproven)?;
    Ok((DeviceId::of(&proof.key), proof))
}

/// Looks whether a browser that has a key shows it with this very request, by a proof in the header.
pub(super) fn shows(app: &App, parts: &Parts, browser: &Browser) -> Result<(), Trouble> {
    if !browser.is_keyed() {
        return Ok(());
    }
    let why = "what gives somebody a way in needs a proof of this browser's key";
    let (by, proof) = shown(app, parts, None).map_err(|_| Trouble::unproven(why))?;
    browser.spends(app, parts, &by, &proof).map_err(|_| Trouble::unproven(why))?;
    let its = browser.seat.device.as_ref().map(|device| &device.id);
    if its == Some(&by) { Ok(()) } else { Err(Trouble::unproven(why)) }
}

/// What a proof says that was made for exactly this request; it may have been here before.
pub(super) fn fitting(
    app: &App,
    parts: &Parts,
    text: &str,
    token: Option<&str>,
) -> Result<dpop::Proof, Unproven> {
    let proof = dpop::read(text).map_err(|_| Unproven::Unsigned)?;
    let host = match parts.uri.authority() {
        Some(authority) => authority.as_str(),
        None => parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default(),
    };
    // The host is one of ours, or the request would not be here.
    let address = format!("{}://{host}{}", app.site.scheme(), parts.uri.path());
    let wanted = Wanted { method: parts.method.as_str(), address: &address, token };
    wanted.fits(&proof, app.clock.now())?;
    Ok(proof)
}

fn unproven(why: impl std::fmt::Display) -> Trouble {
    let hint = "a device's token needs a DPoP proof (RFC 9449) that was made for this request";
    Trouble::new(Code::Unauthenticated, why.to_string(), hint)
}

/// Why a proof that fits is not taken.
fn spent(why: Unproven) -> Trouble {
    match why {
        Unproven::Flooded => {
            Trouble::new(Code::TooMany, why.to_string(), "ask less often").retry(60)
        }
        why => unproven(why),
    }
}

/// Whether somebody on this very machine asks. The listener is on the loopback in dev mode; a tunnel
/// or a proxy on this machine is there too, and brings the world along.
pub(super) fn comes_from_here(parts: &Parts) -> bool {
    let local = match parts.extensions.get::<Peer>() {
        Some(Peer::Tcp(address)) => address.ip().to_canonical().is_loopback(),
        _ => false,
    };
    local && !parts.extensions.get::<smartbox_edge::Peer>().is_some_and(|peer| peer.relayed)
}

/// The bearer of the original's admin secret, which is the master token, or of an operator's key. A
/// cookie, another token or the local socket is not asked: the header says it, or nothing does.
pub(super) async fn admin(app: &App, parts: &Parts) -> Result<Principal, Trouble> {
    let ended = app.access.ended();
    let mut sent = parts.headers.get_all(ADMIN_SECRET).iter();
    let value = match (sent.next().map(HeaderValue::to_str), sent.next()) {
        (Some(Ok(value)), None) => value,
        _ => "",
    };
    let first = || app.account.id.clone();
    match app.access.bearer(value).await? {
        Some(Bearer::Master) => {
            let caller = Caller::operator(first(), "admin-secret".into());
            return Ok(Principal::of(caller).from(parts));
        }
        Some(Bearer::Token(caller)) if caller.operator.is_some() => {
            let watch = Watch::new(ended, Witness::token(value));
            return Ok(Principal::of(caller).watched(watch).from(parts));
        }
        _ => {}
    }
    let hint = "send MOLTBOT_GATEWAY_MASTER_TOKEN of `smartbox up`, or an operator's key, in the \
                header X-Admin-Secret";
    Err(Trouble::new(Code::Forbidden, "the admin secret is missing or wrong", hint))
}

impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Trouble> {
        // Put there by the guard; a public route has none.
        parts.extensions.get::<Self>().cloned().ok_or_else(Trouble::unauthenticated)
    }
}
