use smartbox_core::egress::{Effect, Kept, Refusal, Rule, Scope, Use, What, day};
use smartbox_core::id::{EgressRuleId, SmartboxId};
use smartbox_core::sandbox::Program;
use smartbox_core::store::StoreError;
use smartbox_core::time::Timestamp;

use super::over_every_driver;
use crate::support::{Os, Subject, T0, with_box};
use crate::{read, write};

over_every_driver!(
    rules_come_back_as_they_were_given_to_whom_they_were_given,
    rules_that_ended_are_swept,
    rules_of_what_is_gone_are_gone,
    uses_add_up_by_day_host_and_port,
    uses_are_bounded,
);

fn kept(scope: Scope, what: What) -> Kept {
    Kept {
        id: EgressRuleId::generate(&Os),
        scope,
        effect: Effect::Allow,
        what,
        until: None,
        once: false,
        added: T0,
    }
}

fn rule(text: &str) -> What {
    What::Rule(Rule::parse(text).unwrap())
}

async fn rules_come_back_as_they_were_given_to_whom_they_were_given(s: Subject) {
    let (me, pa) = with_box(&*s.store, "pa").await;
    let (mine, its) = (Scope::Account(me.id), Scope::Smartbox(pa.id));
    let mut inside = Rule::parse("*.api.test:443,8443").unwrap();
    inside.methods = vec!["GET".into()];
    let a = Kept { until: Some(Timestamp(T0.0 + 5)), ..kept(its.clone(), What::Rule(inside)) };
    let b = Kept { once: true, effect: Effect::Deny, ..kept(its.clone(), rule("[2606::1]:22")) };
    let c = kept(mine.clone(), What::Preset("registries".into()));
    let all = [a.clone(), b.clone(), c.clone()];
    write!(s.store, |tx| {
        for one in all {
            tx.egress_rules().add(one).await?;
        }
        Ok(())
    })
    .unwrap();
    let list = async |scope: &Scope| {
        let scope = scope.clone();
        read!(s.store, |tx| tx.egress_rules().list(scope).await).unwrap()
    };
    assert_eq!(list(&its).await, [a.clone(), b.clone()]);
    assert_eq!(list(&mine).await, [c]);
    let remove = async |scope: Scope, id: EgressRuleId| {
        write!(s.store, |tx| tx.egress_rules().remove(scope, id).await).unwrap()
    };
    assert!(!remove(mine, a.id.clone()).await, "not by another's name");
    assert!(remove(its.clone(), a.id.clone()).await);
    assert!(!remove(its.clone(), a.id).await);
    assert_eq!(list(&its).await, [b]);
}

async fn rules_that_ended_are_swept(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let its = Scope::Smartbox(pa.id);
    let old = Kept { until: Some(T0), ..kept(its.clone(), rule("a.test")) };
    let good = kept(its.clone(), rule("b.test"));
    let (one, two) = (old, good.clone());
    write!(s.store, |tx| {
        tx.egress_rules().add(one).await?;
        tx.egress_rules().add(two).await
    })
    .unwrap();
    let swept =
        async |at: i64| write!(s.store, |tx| tx.egress_rules().sweep(Timestamp(at)).await).unwrap();
    assert_eq!((swept(T0.0).await, swept(T0.0 + 1).await), (0, 1));
    assert_eq!(read!(s.store, |tx| tx.egress_rules().list(its).await).unwrap(), [good]);
}

async fn rules_of_what_is_gone_are_gone(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let id = pa.id.clone();
    let its = Scope::Smartbox(pa.id.clone());
    let (one, two) = (kept(its.clone(), rule("a.test")), kept(its.clone(), rule("a.test")));
    write!(s.store, |tx| {
        tx.egress_rules().add(one).await?;
        tx.boxes().remove(id).await
    })
    .unwrap();
    assert_eq!(read!(s.store, |tx| tx.egress_rules().list(its).await).unwrap(), []);
    let refused = write!(s.store, |tx| tx.egress_rules().add(two).await);
    assert!(matches!(refused, Err(StoreError::Missing { what: "smartbox" })), "{refused:?}");
    let one = used(&pa.id, "a.test", 0);
    let id = pa.id.clone();
    write!(s.store, |tx| tx.egress_uses().add(vec![one]).await).unwrap();
    let left = read!(s.store, |tx| tx.egress_uses().list(id, Timestamp(0), 9).await).unwrap();
    assert_eq!(left, [], "nothing is kept of a box that is gone, and that is no error");
}

fn used(id: &SmartboxId, host: &str, ms: i64) -> Use {
    let last = Timestamp(T0.0 + ms);
    Use {
        smartbox: id.clone(),
        day: day(last),
        host: host.into(),
        port: 443,
        opened: 1,
        up: 10,
        down: 100,
        refused: 0,
        why: None,
        secrets: vec!["KEY".into()],
        by: Program::new(b"curl"),
        last,
    }
}

async fn uses_add_up_by_day_host_and_port(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let first = used(&pa.id, "a.test", 0);
    let no = Use { opened: 0, up: 0, down: 0, refused: 2, ..used(&pa.id, "a.test", 7) };
    let no = Use { why: Some(Refusal::NotListed), by: Program::new(b"tmux: client"), ..no };
    let elsewhere = Use { port: 22, ..used(&pa.id, "a.test", 3) };
    let tomorrow = used(&pa.id, "a.test", 86_400_000);
    let all = vec![first.clone(), elsewhere.clone(), no, tomorrow.clone()];
    let names = vec!["A".into(), "KEY".into(), "Z".into()];
    // Whose program is not known changes nothing about the one before.
    let late = vec![Use { up: 1, by: None, secrets: names.clone(), ..used(&pa.id, "a.test", 1) }];
    write!(s.store, |tx| {
        tx.egress_uses().add(all).await?;
        tx.egress_uses().add(late).await
    })
    .unwrap();
    let list = async |since: Timestamp, limit| {
        let id = pa.id.clone();
        read!(s.store, |tx| tx.egress_uses().list(id, since, limit).await).unwrap()
    };
    let sum = Use {
        opened: 2,
        up: 11,
        down: 200,
        refused: 2,
        why: Some(Refusal::NotListed),
        secrets: names,
        by: Program::new(b"tmux: client"),
        last: Timestamp(T0.0 + 7),
        ..first
    };
    assert_eq!(list(T0, 9).await, [tomorrow.clone(), sum, elsewhere]);
    assert_eq!(list(tomorrow.last, 9).await, std::slice::from_ref(&tomorrow));
    assert_eq!(list(T0, 1).await, [tomorrow]);
}

async fn uses_are_bounded(s: Subject) {
    let (_, pa) = with_box(&*s.store, "pa").await;
    let all: Vec<Use> = (0..5).map(|n| used(&pa.id, &format!("{n}.test"), n)).collect();
    let old = used(&pa.id, "old.test", -86_400_000);
    let given = [all.clone(), vec![old]].concat();
    write!(s.store, |tx| tx.egress_uses().add(given).await).unwrap();
    let swept = write!(s.store, |tx| tx.egress_uses().sweep(day(T0), 2).await).unwrap();
    assert_eq!(swept, 4, "a day that is over, and three of five");
    let left = read!(s.store, |tx| tx.egress_uses().list(pa.id, Timestamp(0), 9).await).unwrap();
    assert_eq!(left, [all[4].clone(), all[3].clone()]);
}
