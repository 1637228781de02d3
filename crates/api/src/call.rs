//! Calls: method, path, body and the type of the reply in one value. A client has one function
//! that performs any of them, and cannot ask one thing and read another.

mod device;
mod person;
mod secret;
mod snapshot;
mod token;

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use smartbox_core::id::MessageId;

use crate::account::{AccountChange, AccountView, NewAccount};
use crate::bulk::{BulkConfig, BulkConfigPlan, BulkPlan, BulkRestart};
use crate::config::{
    ConfigChanged, ConfigQuery, ConfigView, Reloaded, RevisionDetail, RevisionView, RollBack,
};
use crate::dashboard::Dashboard;
use crate::egress::{EgressPresetView, EgressRuleView, EgressView, NewEgressRule};
use crate::execs::{ExecView, NewExec};
use crate::file::{
    FileView, FileWritten, FilesQuery, NewDirectory, RemoveQuery, Rename, Unpacked, WriteQuery,
};
use crate::issue::{Issue, IssueQuery, Which};
use crate::job::{Event, ItemView, JobQuery, JobView};
use crate::kind::KindView;
use crate::link::SignInLink;
use crate::log::{LINES, LinesQuery, LogLine, LogQuery, Sources};
use crate::message::{Conversation, HistoryEntry, MessageView, NewMessage, TurnEvent};
use crate::page::{Page, PageQuery};
use crate::platform::PlatformStatus;
use crate::secret::{NewBinding, NewSecret, PlaceholderView, SecretQuery, SecretView, ServiceView};
use crate::smartbox::{Act, BoxChange, BoxesQuery, NewSmartbox, SmartboxView, State};
use crate::tier::TierView;
pub use device::*;
pub use person::*;
pub use secret::*;
pub use snapshot::*;
pub use token::*;

use crate::{exec, paths, sse};
use smartbox_core::time::Timestamp;

/// What a call is answered with: JSON of a type, nothing, or a stream.
pub trait Reply: Sized {
    /// The media type that the client accepts.
    const ACCEPT: &'static str;
}

/// A reply of JSON.
#[derive(Debug)]
pub struct Json<T>(PhantomData<T>);
impl<T: DeserializeOwned> Reply for Json<T> {
    const ACCEPT: &'static str = "application/json";
}
/// A reply of 204 without a body.
#[derive(Debug)]
pub struct Nothing;
impl Reply for Nothing {
    const ACCEPT: &'static str = "application/json";
}
/// A reply of server-sent events. Of [`TurnEvent`]s the last is `answered` or `failed`, of those of a
/// job its final state.
#[derive(Debug)]
pub struct Events<T = TurnEvent>(PhantomData<T>);
impl<T> Reply for Events<T> {
    const ACCEPT: &'static str = sse::MEDIA_TYPE;
}
/// A reply of plain bytes.
#[derive(Debug)]
pub struct Text;
impl Reply for Text {
    const ACCEPT: &'static str = "text/plain";
}
/// A reply of lines, each of them JSON of a type.
#[derive(Debug)]
pub struct Lines<T>(PhantomData<T>);
impl<T> Reply for Lines<T> {
    const ACCEPT: &'static str = LINES;
}
/// A reply of a file's bytes, or of a folder's.
#[derive(Debug)]
pub struct Content;
impl Reply for Content {
    const ACCEPT: &'static str = "*/*";
}
/// A reply of exec frames to a body of exec frames.
#[derive(Debug)]
pub struct Frames;
impl Reply for Frames {
    const ACCEPT: &'static str = exec::MEDIA_TYPE;
}

/// One request.
#[derive(Debug)]
pub struct Call<R> {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// A JSON body. [`Frames`] has none here: the client streams it.
    pub body: Option<Vec<u8>>,
    /// The entity tag that must still be the thing's.
    pub if_match: Option<String>,
    reply: PhantomData<R>,
}

impl<R: Reply> Call<R> {
    fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), body: None, if_match: None, reply: PhantomData }
    }

    fn with(mut self, body: &impl Serialize) -> Self {
        // Our own types: strings and numbers, which always serialise.
        self.body = serde_json::to_vec(body).ok();
        self
    }

    /// The media type to accept.
    pub fn accept(&self) -> &'static str {
        R::ACCEPT
    }
}

/// What the platform says of itself.
pub fn status() -> Call<Json<PlatformStatus>> {
    Call::new("GET", paths::STATUS)
}

/// A page of the boxes of the account, by name.
pub fn boxes(which: &PageQuery) -> Call<Json<Page<SmartboxView>>> {
    Call::new("GET", paged(paths::BOXES.to_owned(), which))
}

/// One box, by name or id, with its sandbox. Wakes nothing.
pub fn smartbox(name: &str) -> Call<Json<SmartboxView>> {
    Call::new("GET", paths::smartbox(name))
}

/// Makes a box.
pub fn new_smartbox(new: &NewSmartbox) -> Call<Json<SmartboxView>> {
    Call::new("POST", paths::BOXES).with(new)
}

/// Removes a box with its home.
pub fn remove(name: &str) -> Call<Nothing> {
    Call::new("DELETE", paths::smartbox(name))
}

/// What can be done to a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Be running now; the desired state stays.
    Wake,
    /// Be frozen (or stopped, if deep) now; the desired state stays.
    Sleep,
    /// Desired state: the configured one for boxes that are not off.
    Start,
    /// Desired state: off.
    Stop,
    /// Begin anew: another sandbox, the same home.
    Restart,
    /// Try again after it failed too often.
    Reset,
}

impl Verb {
    /// The word in paths.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wake => "wake",
            Self::Sleep => "sleep",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Reset => "reset",
        }
    }
}

/// Does something to a box.
pub fn act(name: &str, verb: Verb, how: Act) -> Call<Json<SmartboxView>> {
    Call::new("POST", paths::of_smartbox(name, verb.as_str())).with(&how)
}

/// All boxes as they were seen last, a page of them at a time. Wakes nothing.
pub fn dashboard(page: &PageQuery) -> Call<Json<Dashboard>> {
    Call::new("GET", paged(paths::DASHBOARD.to_owned(), page))
}

/// Issues, those that were opened last first.
pub fn issues(of: &IssueQuery) -> Call<Json<Page<Issue>>> {
    let word = |which: Which| match which {
        Which::Open => "open",
        Which::Resolved => "resolved",
        Which::All => "all",
    };
    let parts = [
        of.state.map(|which| format!("state={}", word(which))),
        of.severity.map(|severity| format!("severity={severity}")),
        of.smartbox.as_ref().map(|name| format!("box={}", paths::segment(name))),
    ];
    let limit = of.limit.map(|n| format!("limit={n}"));
    let cursor = of.cursor.as_deref().map(|text| format!("cursor={}", paths::segment(text)));
    let parts = parts.into_iter().chain([limit, cursor]);
    Call::new("GET", with_query(paths::ISSUES.to_owned(), parts))
}

/// Says that an issue is over.
pub fn resolve_issue(id: &str) -> Call<Json<Issue>> {
    Call::new("POST", paths::resolve_issue(id))
}

/// Makes a fresh link that signs a browser in and leads it to the box. Wakes nothing.
pub fn link(name: &str) -> Call<Json<SignInLink>> {
    Call::new("POST", paths::of_smartbox(name, "link"))
}

/// Restarts a box as a job.
pub fn restart_later(name: &str) -> Call<Json<JobView>> {
    let how = Act { later: true, ..Act::default() };
    Call::new("POST", paths::of_smartbox(name, Verb::Restart.as_str())).with(&how)
}

/// A page of jobs, newest first.
pub fn jobs(which: &JobQuery) -> Call<Json<Page<JobView>>> {
    let pair = |name: &str, value: &str| format!("{name}={}", paths::segment(value));
    let parts = [
        which.smartbox.as_deref().map(|name| pair("box", name)),
        which.state.map(|state| pair("state", state.as_str())),
        which.kind.as_deref().map(|kind| pair("kind", kind)),
        which.limit.map(|n| format!("limit={n}")),
        which.cursor.as_deref().map(|text| pair("cursor", text)),
    ];
    Call::new("GET", with_query(paths::JOBS.to_owned(), parts))
}

/// Where a job is.
pub fn job(id: &str) -> Call<Json<JobView>> {
    Call::new("GET", paths::job(id))
}

/// A page of the boxes of a bulk.
pub fn job_items(id: &str, which: &PageQuery) -> Call<Json<Page<ItemView>>> {
    Call::new("GET", paged(paths::of_job(id, "items"), which))
}

/// What happens to a job, live, after an event until its last; 204 if nothing comes after it.
pub fn follow_job(id: &str, after: u64) -> Call<Events<Event>> {
    Call::new("GET", format!("{}?after={after}", paths::of_job(id, "events")))
}

/// What can be asked of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobVerb {
    /// Stop for good.
    Cancel,
    /// Stop, to go on later.
    Pause,
    /// Go on.
    Resume,
}

impl JobVerb {
    /// The word in paths.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Pause => "pause",
            Self::Resume => "resume",
        }
    }
}

/// Asks something of a job.
pub fn ask_job(id: &str, verb: JobVerb) -> Call<Json<JobView>> {
    Call::new("POST", paths::of_job(id, verb.as_str()))
}

/// Forgets a job that is over.
pub fn remove_job(id: &str) -> Call<Nothing> {
    Call::new("DELETE", paths::job(id))
}

/// Restarts many boxes as a job.
pub fn bulk_restart(new: &BulkRestart) -> Call<Json<JobView>> {
    Call::new("POST", paths::BULK_RESTART).with(new)
}

/// What a restart of many boxes would do.
pub fn plan_bulk_restart(new: &BulkRestart) -> Call<Json<BulkPlan>> {
    Call::new("POST", paths::BULK_RESTART).with(&BulkRestart { dry_run: true, ..new.clone() })
}

/// Patches the configuration of many boxes' engines, as a job.
pub fn bulk_config(new: &BulkConfig) -> Call<Json<JobView>> {
    Call::new("POST", paths::BULK_CONFIG).with(new)
}

/// What a patch would do to many boxes.
pub fn plan_bulk_config(new: &BulkConfig) -> Call<Json<BulkConfigPlan>> {
    Call::new("POST", paths::BULK_CONFIG).with(&BulkConfig { dry_run: true, ..new.clone() })
}

/// Gives a box a message. Wakes it; returns once the message is committed.
pub fn send(name: &str, message: &NewMessage) -> Call<Json<MessageView>> {
    Call::new("POST", paths::of_smartbox(name, "messages")).with(message)
}

/// Where a message is.
pub fn message(id: &MessageId) -> Call<Json<MessageView>> {
    Call::new("GET", paths::message(id.as_str()))
}

/// What happens to a message, live, from now on; of one that is over, its last event.
pub fn follow(id: &MessageId) -> Call<Events> {
    Call::new("GET", paths::message_events(id.as_str()))
}

/// Messages of a box, newest first. Wakes nothing.
pub fn messages(name: &str, which: &PageQuery) -> Call<Json<Page<MessageView>>> {
    Call::new("GET", paged(paths::of_smartbox(name, "messages"), which))
}

/// The engine's conversations, the newest first. Wakes the box.
pub fn sessions(name: &str, which: &PageQuery) -> Call<Json<Page<Conversation>>> {
    Call::new("GET", paged(paths::of_smartbox(name, "sessions"), which))
}

/// The engine's own history of a conversation: the newest entries, oldest first, and the way to those
/// before. Wakes the box.
pub fn history(name: &str, session: &str, which: &PageQuery) -> Call<Json<Page<HistoryEntry>>> {
    let session = Some(format!("session={}", paths::segment(session)));
    let query = [session].into_iter().chain(parts(which));
    Call::new("GET", with_query(paths::of_smartbox(name, "history"), query))
}

/// A box's configuration. Wakes nothing.
pub fn config(name: &str) -> Call<Json<ConfigView>> {
    Call::new("GET", paths::config(name))
}

/// Replaces a box's configuration; only if it still has this digest, if one is given.
pub fn replace_config(
    name: &str,
    document: &Value,
    digest: Option<&str>,
    query: ConfigQuery,
) -> Call<Json<ConfigChanged>> {
    let mut call = Call::new("PUT", dry(paths::config(name), query)).with(document);
    call.if_match = digest.map(|digest| format!("\"{digest}\""));
    call
}

/// Merges a patch into a box's configuration.
pub fn patch_config(name: &str, patch: &Value, query: ConfigQuery) -> Call<Json<ConfigChanged>> {
    Call::new("PATCH", dry(paths::config(name), query)).with(patch)
}

/// The revisions of a box's configuration, newest first. Wakes nothing.
pub fn config_history(name: &str, which: &PageQuery) -> Call<Json<Page<RevisionView>>> {
    Call::new("GET", paged(format!("{}/history", paths::config(name)), which))
}

/// One revision, compared with another, or with the one before it.
pub fn config_revision(
    name: &str,
    revision: u64,
    against: Option<u64>,
) -> Call<Json<RevisionDetail>> {
    let path = paths::revision(name, revision);
    Call::new("GET", against.map_or(path.clone(), |other| format!("{path}?against={other}")))
}

/// Goes back to a revision.
pub fn roll_back_config(name: &str, to: RollBack) -> Call<Json<ConfigChanged>> {
    Call::new("POST", format!("{}/rollback", paths::config(name))).with(&to)
}

/// Has the engine go by its file.
pub fn reload_config(name: &str) -> Call<Json<Reloaded>> {
    Call::new("POST", format!("{}/reload", paths::config(name)))
}

/// Runs a command; see [`crate::exec`]. Wakes the box.
pub fn exec(name: &str) -> Call<Frames> {
    Call::new("POST", paths::of_smartbox(name, "exec"))
}

/// Runs a command as a job. Wakes the box.
pub fn new_exec(name: &str, new: &NewExec) -> Call<Json<ExecView>> {
    Call::new("POST", paths::of_smartbox(name, "execs")).with(new)
}

/// A page of the commands of a box that are jobs, newest first. Wakes nothing.
pub fn execs(name: &str, which: &PageQuery) -> Call<Json<Page<ExecView>>> {
    Call::new("GET", paged(paths::of_smartbox(name, "execs"), which))
}

/// One command that is a job; the answer waits so long for its end. Wakes nothing.
pub fn exec_job(name: &str, id: &str, wait_ms: u64) -> Call<Json<ExecView>> {
    Call::new("GET", format!("{}?wait_ms={wait_ms}", paths::exec(name, id)))
}

/// Stops a command that is a job. Wakes nothing.
pub fn cancel_exec(name: &str, id: &str) -> Call<Json<ExecView>> {
    Call::new("DELETE", paths::exec(name, id))
}

/// The engine's log. Wakes nothing.
pub fn log(name: &str, query: LogQuery) -> Call<Text> {
    let from = query.from.map(|n| format!("from={n}"));
    let tail = query.tail.map(|n| format!("tail={n}"));
    let follow = query.follow.then(|| "follow=true".to_owned());
    Call::new("GET", with_query(paths::of_smartbox(name, "log"), [from, tail, follow]))
}

/// Lines of the engine and of the platform. Wakes nothing.
pub fn logs(name: &str, query: &LinesQuery) -> Call<Lines<LogLine>> {
    let source = match query.source {
        Sources::Engine => Some("source=engine".to_owned()),
        Sources::Platform => Some("source=platform".to_owned()),
        Sources::All => None,
    };
    let since = query.since.as_ref().map(|time| format!("since={}", paths::segment(time)));
    let tail = query.tail.map(|n| format!("tail={n}"));
    let after = query.after.as_ref().map(|place| format!("after={}", paths::segment(place)));
    let follow = query.follow.then(|| "follow=true".to_owned());
    let parts = [source, since, tail, after, follow];
    Call::new("GET", with_query(paths::of_smartbox(name, "logs"), parts))
}

/// A page of a directory of a box's home. Wakes nothing, as all that follows.
pub fn files(name: &str, query: &FilesQuery) -> Call<Json<Page<FileView>>> {
    let which = PageQuery { limit: query.limit, cursor: query.cursor.clone() };
    let path = paged(paths::of_smartbox(name, "files"), &which);
    let join = if path.contains('?') { '&' } else { '?' };
    Call::new("GET", format!("{path}{join}path={}", paths::segment(&query.path)))
}

/// What is known of a file, a directory or a link.
pub fn file(name: &str, path: &str) -> Call<Json<FileView>> {
    Call::new("GET", at(name, "files/stat", path))
}

/// A file's bytes.
pub fn read_file(name: &str, path: &str) -> Call<Content> {
    Call::new("GET", at(name, "files/content", path))
}

/// Writes a file; the client streams its bytes.
pub fn write_file(name: &str, query: &WriteQuery) -> Call<Json<FileWritten>> {
    let mode = query.mode.as_ref().map_or_else(String::new, |mode| format!("&mode={mode}"));
    let parents = if query.parents { "&parents=true" } else { "" };
    let path = at(name, "files/content", &query.path);
    Call::new("PUT", format!("{path}{mode}{parents}"))
}

/// A folder as a tar archive.
pub fn pack(name: &str, path: &str) -> Call<Content> {
    Call::new("GET", at(name, "files/archive", path))
}

/// Unpacks a tar archive into a folder; the client streams it.
pub fn unpack(name: &str, path: &str) -> Call<Json<Unpacked>> {
    Call::new("PUT", at(name, "files/archive", path))
}

/// Removes a file, a link or a directory.
pub fn remove_file(name: &str, query: &RemoveQuery) -> Call<Nothing> {
    let recursive = if query.recursive { "&recursive=true" } else { "" };
    Call::new("DELETE", format!("{}{recursive}", at(name, "files", &query.path)))
}

/// Makes a directory.
pub fn make_directory(name: &str, new: &NewDirectory) -> Call<Json<FileView>> {
    Call::new("POST", paths::of_smartbox(name, "files/mkdir")).with(new)
}

/// Gives a file or directory another name.
pub fn rename_file(name: &str, rename: &Rename) -> Call<Json<FileView>> {
    Call::new("POST", paths::of_smartbox(name, "files/rename")).with(rename)
}

/// A page of the account's rules about what may leave, or of all that count for one box.
pub fn egress_rules(of: Option<&str>, which: &PageQuery) -> Call<Json<Page<EgressRuleView>>> {
    let of = of.map(|name| format!("box={}", paths::segment(name)));
    let [limit, cursor] = parts(which);
    Call::new("GET", with_query(paths::EGRESS_RULES.to_owned(), [of, limit, cursor]))
}

/// Allows or refuses something.
pub fn add_egress_rule(new: &NewEgressRule) -> Call<Json<EgressRuleView>> {
    Call::new("POST", paths::EGRESS_RULES).with(new)
}

/// Takes a rule back.
pub fn remove_egress_rule(id: &str, of: Option<&str>) -> Call<Nothing> {
    Call::new("DELETE", with_box(paths::egress_rule(id), of))
}

/// A page of the presets.
pub fn egress_presets(which: &PageQuery) -> Call<Json<Page<EgressPresetView>>> {
    let [limit, cursor] = parts(which);
    Call::new("GET", with_query(paths::EGRESS_PRESETS.to_owned(), [limit, cursor]))
}

/// A page of what left a box and what was refused.
pub fn egress(
    name: &str,
    since: Option<Timestamp>,
    which: &PageQuery,
) -> Call<Json<Page<EgressView>>> {
    let since = since.map(|at| format!("since={}", at.0));
    let [limit, cursor] = parts(which);
    Call::new("GET", with_query(paths::of_smartbox(name, "egress"), [since, limit, cursor]))
}

/// A page of the names of the secrets of the account, of one box or of the platform.
pub fn secrets(of: &SecretQuery, which: &PageQuery) -> Call<Json<Page<SecretView>>> {
    let of = secret::of(of).into_iter().chain(parts(which));
    Call::new("GET", with_query(paths::SECRETS.to_owned(), of))
}

/// Keeps a secret.
pub fn set_secret(name: &str, secret: &NewSecret) -> Call<Nothing> {
    Call::new("PUT", paths::secret(name)).with(secret)
}

/// Forgets a secret.
pub fn remove_secret(name: &str, of: &SecretQuery) -> Call<Nothing> {
    Call::new("DELETE", with_query(paths::secret(name), secret::of(of)))
}

/// Says where a secret may go by placeholder.
pub fn bind_secret(name: &str, new: &NewBinding) -> Call<Nothing> {
    Call::new("PUT", paths::bindings(name)).with(new)
}

/// Unbinds a secret.
pub fn unbind_secret(name: &str, of: Option<&str>) -> Call<Nothing> {
    Call::new("DELETE", with_box(paths::bindings(name), of))
}

/// A page of the services that a secret can be bound as the key of.
pub fn services(which: &PageQuery) -> Call<Json<Page<ServiceView>>> {
    let [limit, cursor] = parts(which);
    Call::new("GET", with_query(paths::SERVICES.to_owned(), [limit, cursor]))
}

/// A page of what a box holds in place of secrets.
pub fn placeholders(name: &str, which: &PageQuery) -> Call<Json<Page<PlaceholderView>>> {
    let [limit, cursor] = parts(which);
    Call::new("GET", with_query(paths::of_smartbox(name, "placeholders"), [limit, cursor]))
}

/// Something of a box, about a path in its home.
fn at(name: &str, what: &str, path: &str) -> String {
    format!("{}?path={}", paths::of_smartbox(name, what), paths::segment(path))
}

fn dry(path: String, query: ConfigQuery) -> String {
    if query.dry_run { format!("{path}?dry_run=true") } else { path }
}

/// A path with which page of its list is wanted.
/// Those smartboxes that are asked for.
pub fn some_boxes(which: &BoxesQuery) -> Call<Json<Page<SmartboxView>>> {
    let part = |key: &str, value: Option<&str>| {
        value.map(|value| format!("{key}={}", paths::segment(value)))
    };
    let parts = [
        part("kind", which.kind.as_deref()),
        part("state", which.state.map(State::as_str)),
        part("label", which.label.as_deref()),
        part("account", which.account.as_deref()),
        which.limit.map(|n| format!("limit={n}")),
        part("cursor", which.cursor.as_deref()),
    ];
    Call::new("GET", with_query(paths::BOXES.to_owned(), parts))
}

/// Changes what an owner decides of a box.
pub fn change(name: &str, change: &BoxChange) -> Call<Json<SmartboxView>> {
    Call::new("PATCH", paths::smartbox(name)).with(change)
}

/// Every account, by name. For operators.
pub fn accounts(which: &PageQuery) -> Call<Json<Page<AccountView>>> {
    Call::new("GET", paged(paths::ACCOUNTS.to_owned(), which))
}

/// One account, by name or id.
pub fn account(name: &str) -> Call<Json<AccountView>> {
    Call::new("GET", paths::account(name))
}

/// Makes an account with its PA. For operators.
pub fn new_account(new: &NewAccount) -> Call<Json<AccountView>> {
    Call::new("POST", paths::ACCOUNTS).with(new)
}

/// Changes an account. For operators.
pub fn change_account(name: &str, change: &AccountChange) -> Call<Json<AccountView>> {
    Call::new("PATCH", paths::account(name)).with(change)
}

/// Removes an account, and its boxes too if they may go. For operators.
pub fn remove_account(name: &str, boxes: bool) -> Call<Nothing> {
    let boxes = boxes.then(|| "boxes=remove".to_owned());
    Call::new("DELETE", with_query(paths::account(name), [boxes]))
}

/// The kinds that boxes are made from, by name.
pub fn kinds(which: &PageQuery) -> Call<Json<Page<KindView>>> {
    Call::new("GET", paged(paths::KINDS.to_owned(), which))
}

/// The tiers, by name.
pub fn tiers(which: &PageQuery) -> Call<Json<Page<TierView>>> {
    Call::new("GET", paged(paths::TIERS.to_owned(), which))
}

fn paged(path: String, which: &PageQuery) -> String {
    with_query(path, parts(which))
}

fn parts(which: &PageQuery) -> [Option<String>; 2] {
    let limit = which.limit.map(|n| format!("limit={n}"));
    let cursor = which.cursor.as_deref().map(|text| format!("cursor={}", paths::segment(text)));
    [limit, cursor]
}

fn with_query(path: String, parts: impl IntoIterator<Item = Option<String>>) -> String {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { path } else { format!("{path}?{}", parts.join("&")) }
}

fn with_box(path: String, of: Option<&str>) -> String {
    match of {
        Some(name) => format!("{path}?box={}", paths::segment(name)),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_knows_its_address() {
        assert_eq!(log("pa", LogQuery::default()).path, "/api/v1/boxes/pa/log");
        let query = LogQuery { from: Some(3), tail: None, follow: true };
        assert_eq!(log("pa", query).path, "/api/v1/boxes/pa/log?from=3&follow=true");
        assert_eq!(logs("pa", &LinesQuery::default()).path, "/api/v1/boxes/pa/logs");
        let query = LinesQuery {
            source: Sources::Platform,
            since: Some("2026-11-27T20:50:46+01:00".into()),
            tail: Some(3),
            follow: true,
            after: None,
        };
        assert_eq!(
            logs("pa", &query).path,
            "/api/v1/boxes/pa/logs?source=platform&since=2026-11-27T20%3A50%3A46%2B01%3A00&tail=3&follow=true"
        );
        assert_eq!(
            history("pa", "a&b", &PageQuery { limit: Some(5), cursor: None }).path,
            "/api/v1/boxes/pa/history?session=a%26b&limit=5"
        );
        let page = PageQuery { limit: Some(2), cursor: Some("a+b".into()) };
        assert_eq!(boxes(&page).path, "/api/v1/boxes?limit=2&cursor=a%2Bb");
        assert_eq!(boxes(&PageQuery::default()).path, "/api/v1/boxes");
        let read = read_file("pa", "../a b/c?");
        assert_eq!(read.path, "/api/v1/boxes/pa/files/content?path=%2E%2E%2Fa%20b%2Fc%3F");
        let query = FilesQuery { path: "a".into(), limit: Some(2), cursor: None };
        assert_eq!(files("pa", &query).path, "/api/v1/boxes/pa/files?limit=2&path=a");
        let of = SecretQuery { smartbox: Some("pa".into()), platform: false };
        assert_eq!(secrets(&of, &page).path, "/api/v1/secrets?box=pa&limit=2&cursor=a%2Bb");
        let of = SecretQuery { smartbox: None, platform: true };
        assert_eq!(remove_secret("A", &of).path, "/api/v1/secrets/A?platform=true");
        let jobs_of =
            JobQuery { smartbox: Some("a b".into()), limit: Some(2), ..JobQuery::default() };
        assert_eq!(jobs(&jobs_of).path, "/api/v1/jobs?box=a%20b&limit=2");
        assert_eq!(follow_job("job_1", 3).path, "/api/v1/jobs/job_1/events?after=3");
        assert_eq!(follow(&"msg_00000000000000000001".parse().unwrap()).accept(), sse::MEDIA_TYPE);
    }
}
