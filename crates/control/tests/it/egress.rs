//! What may leave boxes: who may say so, when it counts, and the account of it.

use std::time::Duration;

use futures_util::{AsyncReadExt as _, AsyncWriteExt as _};
use smartbox_control::NewRule;
use smartbox_core::egress::port::{Happening, Passage, Rules, Witness};
use smartbox_core::egress::{
    Decision, Effect, Host, Quota, Refusal, Rule, Scope, Way, What, decide,
};
use smartbox_core::id::SmartboxId;
use smartbox_core::issue::{Filter, Issue, Kind};
use smartbox_core::sandbox::{DNS_PORT, PROXY_PORT, Program};
use smartbox_core::smartbox::{Desired, State};
use smartbox_core::time::{Clock, Timestamp};

use smartbox_runtime::sim::Call;

use crate::world::{World, actor};

fn new(effect: Effect, text: &str) -> NewRule {
    NewRule { effect, what: What::Rule(Rule::parse(text).unwrap()), until: None, once: false }
}

impl World {
    async fn rule(&self, scope: Scope, new: NewRule) -> String {
        let account = self.control.ensure_account("me").await.unwrap();
        let kept = self.control.add_egress(&actor(), &account.id, scope, new).await.unwrap();
        kept.id.to_string()
    }

    async fn may(&self, id: &SmartboxId, to: &str) -> Decision {
        let standing = self.book.standing(id).await.unwrap();
        let (host, port) = Host::with_port(to, Some(443)).unwrap();
        decide(&standing.policy, &host, port, self.clock.now())
    }
}

#[tokio::test(start_paused = true)]
async fn a_box_may_what_its_account_and_its_owner_say_and_refusing_wins() {
    let world = World::new().await;
    let (one, two) =
        (world.new_box("one", Desired::Auto).await, world.new_box("two", Desired::Auto).await);
    assert_eq!(world.may(&one.id, "a.test").await, Err(Refusal::NotListed));
    world.rule(Scope::Account(one.account.clone()), new(Effect::Allow, "a.test")).await;
    world.rule(Scope::Smartbox(one.id.clone()), new(Effect::Allow, "b.test")).await;
    world.rule(Scope::Smartbox(two.id.clone()), new(Effect::Deny, "a.test")).await;
    assert!(world.may(&one.id, "a.test").await.is_ok());
    assert!(world.may(&one.id, "b.test").await.is_ok());
    assert_eq!(world.may(&two.id, "a.test").await, Err(Refusal::Denied));
    assert_eq!(world.may(&two.id, "b.test").await, Err(Refusal::NotListed));
    let git = NewRule { what: What::Preset("git".into()), ..new(Effect::Allow, "x.test") };
    world.rule(Scope::Smartbox(two.id.clone()), git).await;
    assert!(world.may(&two.id, "github.com:22").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_same_rule_again_is_the_one_that_is_there_and_goes_once() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    let scope = || Scope::Smartbox(row.id.clone());
    let first = world.rule(scope(), new(Effect::Allow, "a.test")).await;
    assert_eq!(world.rule(scope(), new(Effect::Allow, "a.test")).await, first);
    let remove = async || {
        let id = first.parse().unwrap();
        world.control.remove_egress(&actor(), &row.account, scope(), id).await
    };
    remove().await.unwrap();
    assert!(remove().await.is_err());
    assert_eq!(world.may(&row.id, "a.test").await, Err(Refusal::NotListed));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_change_hears_of_it_and_of_an_end_that_comes_by_itself() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    let standing = world.book.standing(&row.id).await.unwrap();
    let mut change = world.book.changed(row.id.clone(), standing.version);
    assert!(tokio::time::timeout(Duration::from_secs(3600), &mut change).await.is_err());
    let until = Some(world.clock.now().plus(Duration::from_secs(60)));
    let hour = NewRule { until, ..new(Effect::Allow, "a.test") };
    world.rule(Scope::Smartbox(row.id.clone()), hour).await;
    change.await;
    assert!(world.may(&row.id, "a.test").await.is_ok());
    let standing = world.book.standing(&row.id).await.unwrap();
    let begun = world.clock.now();
    world.book.changed(row.id.clone(), standing.version).await;
    assert!(world.clock.now().since(begun) >= Duration::from_secs(60));
    assert_eq!(world.may(&row.id, "a.test").await, Err(Refusal::NotListed));
}

#[tokio::test(start_paused = true)]
async fn what_is_for_once_is_used_up_once_however_many_ask() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    let once = NewRule { once: true, ..new(Effect::Allow, "a.test") };
    let id = world.rule(Scope::Smartbox(row.id.clone()), once).await;
    let takes = (0..8).map(|_| world.book.take(&row.id, &id));
    let taken = futures_util::future::join_all(takes).await;
    assert_eq!(taken.into_iter().filter(|taken| *taken.as_ref().unwrap()).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn rules_that_make_no_sense_are_refused() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    let scope = Scope::Smartbox(row.id.clone());
    for bad in [
        NewRule { what: What::Preset("gti".into()), ..new(Effect::Allow, "a.test") },
        NewRule { until: Some(Timestamp(0)), ..new(Effect::Allow, "a.test") },
        NewRule { once: true, ..new(Effect::Deny, "a.test") },
        NewRule { once: true, what: What::Preset("git".into()), ..new(Effect::Allow, "a.test") },
    ] {
        let refused = world.control.add_egress(&actor(), &row.account, scope.clone(), bad).await;
        assert!(refused.is_err(), "{refused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_left_is_counted_by_host_and_a_thousand_hosts_are_told_apart() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    let note = |host: String, what| {
        let smartbox = row.id.clone();
        let by = Program::new(b"tester");
        world.book.note(Passage { smartbox, host, port: 443, by, what });
    };
    for n in 0..1_500 {
        note(format!("{n}.test"), Happening::Refused(Refusal::NotListed));
    }
    note("0.test".into(), Happening::Opened);
    note("0.test".into(), Happening::Moved { up: 3, down: 5 });
    let uses = world.control.egress_uses(&row.id, Timestamp(0), 5_000).await.unwrap();
    assert_eq!(uses.len(), 1_001);
    let others = uses.iter().find(|(one, _)| one.host == "(others)").unwrap();
    assert_eq!(others.0.refused, 500);
    let zero = &uses.iter().find(|(one, _)| one.host == "0.test").unwrap().0;
    assert_eq!((zero.opened, zero.up, zero.down, zero.refused), (1, 3, 5, 1));
}

async fn heard(world: &World, id: &SmartboxId, port: u16) -> String {
    let mut conn = world.sim.call_out(id, port).unwrap();
    let _ = conn.write_all(b"?").await;
    let mut text = String::new();
    let read = conn.read_to_string(&mut text);
    tokio::time::timeout(Duration::from_secs(600), read).await.unwrap().unwrap();
    text
}

#[tokio::test(start_paused = true)]
async fn a_box_has_a_proxy_and_a_name_service_and_each_goes_on_without_the_other() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    assert_eq!(heard(&world, &id, PROXY_PORT).await, "the proxy");
    assert_eq!(heard(&world, &id, DNS_PORT).await, "the name service");

    // One of the three doors cannot be served at first: calls wait there, and not for good.
    for failing in 1..=3 {
        world.sim.kill(&id);
        world.sim.faults().fail(Call::Incoming, failing);
        world.settle(&id, State::Starting).await;
        world.settle(&id, State::Running).await;
        assert_eq!(heard(&world, &id, PROXY_PORT).await, "the proxy", "{failing}");
        assert_eq!(heard(&world, &id, DNS_PORT).await, "the name service", "{failing}");
    }
}

/// More than the time between two looks.
const A_LOOK: Duration = Duration::from_secs(70);

impl World {
    fn note(&self, id: &SmartboxId, host: &str, what: Happening) {
        let (smartbox, host) = (id.clone(), host.to_owned());
        self.book.note(Passage { smartbox, host, port: 443, by: None, what });
    }

    fn sent(&self, id: &SmartboxId, mib: u64) {
        self.note(id, "a.test", Happening::Moved { up: mib << 20, down: 0 });
    }

    async fn alarms(&self) -> Vec<Issue> {
        tokio::time::sleep(A_LOOK).await;
        let filter = Filter { open: Some(true), ..Filter::default() };
        self.control.list_issues(filter, None, 99).await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_used_up_today_is_known_to_the_next_process() {
    let mut world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    world.sent(&row.id, 60);
    world.note(&row.id, "b.test", Happening::Moved { up: 30 << 20, down: 9 });
    let quota = Quota { up: 100 << 20, ..Quota::default() };
    let left = async |world: &World| {
        let mut spent = world.book.spent(&row.id).await.unwrap();
        spent.pass(&quota, Way::Up, usize::MAX, world.clock.now())
    };
    assert_eq!(left(&world).await, 10 << 20, "what was not written yet counts");
    world.kill_and_open().await;
    assert_eq!(left(&world).await, 10 << 20);
    tokio::time::sleep(Duration::from_hours(24)).await;
    assert_eq!(left(&world).await, 100 << 20, "a new day");
}

#[tokio::test(start_paused = true)]
async fn a_restart_tells_no_other_hosts_apart() {
    let mut world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    for n in 0..1_500 {
        world.note(&row.id, &format!("{n}.test"), Happening::Moved { up: 1, down: 0 });
    }
    world.book.write().await.unwrap();
    world.kill_and_open().await;
    // As the broker does before it lets anything out.
    world.book.spent(&row.id).await.unwrap();
    for n in 1_000..2_000 {
        world.note(&row.id, &format!("{n}.test"), Happening::Moved { up: 1, down: 0 });
    }
    let uses = world.control.egress_uses(&row.id, Timestamp(0), 5_000).await.unwrap();
    assert_eq!(uses.len(), 1_001);
    assert_eq!(uses.iter().map(|(one, _)| one.up).sum::<u64>(), 2_500, "not a byte is lost");
}

#[tokio::test(start_paused = true)]
async fn a_sudden_upload_is_one_issue_until_a_day_without() {
    let world = World::new().await;
    let (row, other) =
        (world.new_box("pa", Desired::Auto).await, world.new_box("other", Desired::Auto).await);
    world.sent(&row.id, 99);
    world.sent(&other.id, 30);
    assert!(world.alarms().await.is_empty());
    world.sent(&row.id, 1);
    let alarms = world.alarms().await;
    let issue = &alarms[0];
    assert_eq!((alarms.len(), issue.kind, issue.count), (1, Kind::EgressVolume, 1));
    assert_eq!(issue.smartbox.as_ref(), Some(&row.id));
    let words = "pa sent 100 MiB within an hour; on a usual day it sends 0 MiB.";
    assert_eq!(issue.message, words);
    assert!(issue.hint.contains("smartbox egress pa"), "{}", issue.hint);
    assert_eq!(world.alarms().await[0].count, 1, "what was seen is not said again");
    // By hand: what was seen before does not open it again, what comes after does.
    world.control.resolve_issue(&actor(), None, issue.id.clone()).await.unwrap();
    assert!(world.alarms().await.is_empty());
    world.sent(&row.id, 150);
    assert_eq!(world.alarms().await.len(), 1);
    tokio::time::sleep(Duration::from_hours(23)).await;
    assert_eq!(world.alarms().await.len(), 1);
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert!(world.alarms().await.is_empty(), "by itself");
}

#[tokio::test(start_paused = true)]
async fn what_a_box_does_every_day_alarms_nobody() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    world.sent(&row.id, 90);
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_hours(24)).await;
        world.sent(&row.id, 90);
        assert!(world.alarms().await.is_empty());
    }
    tokio::time::sleep(Duration::from_hours(24)).await;
    world.sent(&row.id, 170);
    assert!(world.alarms().await.is_empty(), "not twice a usual day");
    world.sent(&row.id, 40);
    assert_eq!(world.alarms().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_stranger_after_the_other_and_a_used_up_day_are_issues() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    for n in 0..49 {
        for _ in 0..3 {
            world.note(&row.id, &format!("{n}.test"), Happening::Refused(Refusal::NotListed));
        }
        world.note(&row.id, &format!("{n}.slow.test"), Happening::Refused(Refusal::Unreachable));
    }
    assert!(world.alarms().await.is_empty());
    world.note(&row.id, "50.test", Happening::Refused(Refusal::Denied));
    let alarms = world.alarms().await;
    assert_eq!((alarms.len(), alarms[0].kind), (1, Kind::EgressRefused));
    world.note(&row.id, "a.test", Happening::Refused(Refusal::Volume));
    let kinds: Vec<Kind> = world.alarms().await.into_iter().map(|issue| issue.kind).collect();
    assert!(kinds.contains(&Kind::EgressVolume) && kinds.len() == 2, "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn a_box_that_is_gone_alarms_nobody() {
    let world = World::new().await;
    let row = world.new_box("pa", Desired::Auto).await;
    world.sent(&row.id, 500);
    world.control.remove(&actor(), &row.id).await.unwrap();
    assert!(world.alarms().await.is_empty());
    world.sent(&row.id, 500);
    assert!(world.alarms().await.is_empty());
}
