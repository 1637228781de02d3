//! The configuration of engines: read, changed, refused, rolled back, recorded.

use serde_json::{Value, json};
use smartbox_control::{Config, ControlError, How, Outcome, Terms};
use smartbox_core::config::{Applied, Fault, Revision, Taken};
use smartbox_core::engine::port::EngineError;
use smartbox_core::id::SmartboxId;
use smartbox_core::smartbox::{Desired, Rest, State};
use smartbox_runtime::sim::Call;

use crate::world::{World, actor};

async fn get(world: &World, id: &SmartboxId) -> Config {
    world.control.config(id).await.unwrap()
}

async fn change(world: &World, id: &SmartboxId, how: How) -> Result<Outcome, ControlError> {
    world.control.change_config(&actor(), id, &how, &Terms::default()).await
}

async fn patch(world: &World, id: &SmartboxId, patch: Value) -> Outcome {
    change(world, id, How::Patch(patch)).await.unwrap()
}

async fn history(world: &World, id: &SmartboxId) -> Vec<Revision> {
    world.control.config_history(id, None, 100).await.unwrap()
}

/// A box that never ran.
async fn asleep(world: &World) -> SmartboxId {
    let id = world.new_box("pa", Desired::Off).await.id;
    world.settle(&id, State::Stopped).await;
    id
}

fn file(world: &World, id: &SmartboxId) -> Value {
    serde_json::from_slice(&world.sim.file(id, "config").unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_box_that_never_ran_is_read_and_written_and_stays_asleep() {
    let world = World::new().await;
    let id = asleep(&world).await;
    let seen = get(&world, &id).await;
    assert_eq!((seen.owner, seen.revision, seen.unreadable), (json!({}), None, None));
    assert_eq!(seen.effective["platform"], "masked", "no credential is shown");
    assert_eq!(seen.platform, ["platform", "gateway.auth", "models.providers.platform"]);
    let done = patch(&world, &id, json!({"a": {"b": 1}})).await;
    assert_eq!((done.revision, done.applied), (Some(1), Some(Applied::AtNextStart)));
    assert_eq!(done.changes.len(), 1);
    assert_eq!(file(&world, &id)["a"]["b"], 1);
    assert!(file(&world, &id)["platform"]["token"].is_string(), "the platform's part is in it");
    let seen = get(&world, &id).await;
    assert_eq!((seen.owner, seen.digest), (json!({"a": {"b": 1}}), done.digest));
    assert_eq!(seen.revision.unwrap().actor, "test");
    assert_eq!(world.sim.faults().calls(Call::Start), 0, "nobody was woken");
}

#[tokio::test(start_paused = true)]
async fn what_the_schema_does_not_allow_is_never_written() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let before = file(&world, &id);
    let error = change(&world, &id, How::Patch(json!({"bad": 1}))).await.unwrap_err();
    assert!(matches!(&error, ControlError::Invalid { faults } if faults[0].path == "bad"));
    assert_eq!(file(&world, &id), before);
    assert!(history(&world, &id).await.is_empty());
    let terms = Terms { dry_run: true, ..Terms::default() };
    let how = How::Patch(json!({"bad": 1, "good": 2}));
    let told = world.control.change_config(&actor(), &id, &how, &terms).await.unwrap();
    assert_eq!((told.faults.len(), told.changes.len(), told.applied), (1, 2, None));
    assert_eq!(file(&world, &id), before, "a dry run changes nothing");
}

#[tokio::test(start_paused = true)]
async fn who_names_another_document_is_told_so() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let seen = get(&world, &id).await.digest;
    let terms = Terms { digests: Some(vec![seen]), dry_run: false };
    let how = |n| How::Patch(json!({ "n": n }));
    world.control.change_config(&actor(), &id, &how(1), &terms).await.unwrap();
    let error = world.control.change_config(&actor(), &id, &how(2), &terms).await.unwrap_err();
    let now = get(&world, &id).await.digest;
    assert!(matches!(error, ControlError::OtherConfig { digest } if digest == now));
    assert_eq!(file(&world, &id)["n"], 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_assistant_wrote_is_a_revision_and_is_not_lost() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    patch(&world, &id, json!({"mine": 1})).await;
    let mut theirs = file(&world, &id);
    theirs["theirs"] = json!(2);
    world.write(&id, "config", &theirs.to_string()).await;
    let seen = get(&world, &id).await;
    assert_eq!((seen.revision, seen.owner["theirs"].clone()), (None, json!(2)));
    assert_eq!(history(&world, &id).await.len(), 1, "looking records nothing");
    let done = patch(&world, &id, json!({"mine": 3})).await;
    assert_eq!(file(&world, &id)["theirs"], 2);
    let told: Vec<_> =
        history(&world, &id).await.into_iter().map(|r| (r.seq, r.actor, r.how)).collect();
    assert_eq!(done.revision, Some(3));
    let expected = [(3, "test", "patched"), (2, "box", "found"), (1, "test", "patched")];
    assert_eq!(told, expected.map(|(seq, who, how)| (seq, who.to_owned(), how.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn an_edit_found_at_a_start_is_recorded() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    world.write(&id, "config", r#"{"found": true}"#).await;
    world.control.restart(&actor(), &id).await.unwrap();
    world.settle(&id, State::Running).await;
    let told = history(&world, &id).await;
    assert_eq!((told.len(), told[0].actor.as_str()), (1, "box"));
    world.control.restart(&actor(), &id).await.unwrap();
    world.settle(&id, State::Running).await;
    assert_eq!(history(&world, &id).await.len(), 1, "once");
}

#[tokio::test(start_paused = true)]
async fn back_to_an_older_revision() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    for n in 1..=3 {
        patch(&world, &id, json!({ "n": n })).await;
    }
    let done = change(&world, &id, How::Roll { back_to: 1 }).await.unwrap();
    assert_eq!(done.revision, Some(4), "a roll back is a revision of its own");
    assert_eq!(file(&world, &id)["n"], 1);
    let opened = world.control.config_revision(&id, 4, None).await.unwrap();
    assert_eq!((opened.against, opened.changes.len()), (Some(3), 1));
    assert_eq!(opened.revision.how, "rolled back to 1");
    let same = world.control.config_revision(&id, 4, Some(1)).await.unwrap();
    assert!(same.changes.is_empty());
    let first = world.control.config_revision(&id, 1, None).await.unwrap();
    assert_eq!((first.against, first.changes.len()), (None, 1));
    for gone in [How::Roll { back_to: 9 }, How::Roll { back_to: 0 }] {
        let error = change(&world, &id, gone).await.unwrap_err();
        assert!(matches!(error, ControlError::Missing { what: "revision" }));
    }
}

#[tokio::test(start_paused = true)]
async fn the_history_has_an_end_and_its_numbers_stay() {
    let world = World::new().await;
    let id = asleep(&world).await;
    for n in 1..=25 {
        patch(&world, &id, json!({ "n": n })).await;
    }
    let told = history(&world, &id).await;
    assert_eq!((told.len(), told[0].seq, told[19].seq), (20, 25, 6));
    let again = patch(&world, &id, json!({ "n": 25 })).await;
    assert_eq!((again.revision, again.changes.len()), (Some(25), 0), "nothing changed");
}

#[tokio::test(start_paused = true)]
async fn a_change_is_followed_until_the_engine_has_taken_it_up() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let away = || EngineError::NotReady { why: "stopping".into(), retry_after_ms: 1 };
    for (n, (answers, expected)) in [
        (vec![Ok(Taken::NotYet), Ok(Taken::NotYet), Ok(Taken::Yes)], Applied::Live),
        (vec![Ok(Taken::NotYet), Err(away())], Applied::Restarting),
        (vec![Ok(Taken::AtRestart)], Applied::RestartNeeded),
        ((0..1000).map(|_| Ok(Taken::NotYet)).collect(), Applied::Soon),
    ]
    .into_iter()
    .enumerate()
    {
        world.script.will().takes = answers.into();
        assert_eq!(patch(&world, &id, json!({ "n": n })).await.applied, Some(expected));
    }
    world.script.will().takes.clear();
    world.control.sleep(&actor(), &id, Rest::Frozen).await.unwrap();
    world.settle(&id, State::Frozen).await;
    let done = patch(&world, &id, json!({"asleep": true})).await;
    assert_eq!(done.applied, Some(Applied::OnWake));
    assert_eq!(world.settle(&id, State::Frozen).await.state, State::Frozen, "it sleeps on");
}

#[tokio::test(start_paused = true)]
async fn what_the_running_engine_does_not_want_is_taken_back() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    patch(&world, &id, json!({"n": 1})).await;
    let fault = Fault { path: "n".into(), message: "must be odd".into(), hint: None };
    world.script.will().takes = [Ok(Taken::Refused(vec![fault]))].into();
    let error = change(&world, &id, How::Patch(json!({"n": 2}))).await.unwrap_err();
    assert!(matches!(&error, ControlError::Invalid { faults } if faults[0].path == "n"));
    assert_eq!(file(&world, &id)["n"], 1);
    let told = history(&world, &id).await;
    assert_eq!(told[0].how, "took 2 back");
    assert!(told[1].refused.as_deref().is_some_and(|why| why.contains("must be odd")));
    assert_eq!(get(&world, &id).await.revision.unwrap().seq, 3);
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_no_engine_starts_with_is_marked() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    patch(&world, &id, json!({"n": "good"})).await;
    world.control.sleep(&actor(), &id, Rest::Stopped).await.unwrap();
    world.settle(&id, State::Stopped).await;
    // What the home keeps for this is gone, or was the box's to write: the records have it, too.
    world.write(&id, ".smartbox/config.last-good", "not what it was").await;
    patch(&world, &id, json!({"n": "broken"})).await;
    world.script.will().refuses = Some("broken".into());
    world.sim.log(&id, "Unrecognized key: n");
    world.control.wake(&actor(), &id).await.unwrap();
    world.settle(&id, State::Running).await;
    assert_eq!(file(&world, &id)["n"], "good");
    let told = history(&world, &id).await;
    assert_eq!(told[0].how, "fell back to 1");
    assert!(told[1].refused.as_deref().is_some_and(|why| why.contains("Unrecognized key")));
    let notice = world.control.view(&id).await.unwrap().notice.expect("the owner is told");
    assert!(notice.contains("revision 1"), "{notice}");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_none_can_be_replaced_and_not_patched() {
    let world = World::new().await;
    let id = asleep(&world).await;
    patch(&world, &id, json!({"n": 1})).await;
    for spoilt in ["", "{", "[1]", "\u{0}\u{1}", &"[".repeat(1 << 20)] {
        world.write(&id, "config", spoilt).await;
        let seen = get(&world, &id).await;
        assert!(seen.unreadable.is_some() && seen.owner == json!({}) && seen.revision.is_none());
        let error = change(&world, &id, How::Patch(json!({"n": 2}))).await.unwrap_err();
        assert!(matches!(error, ControlError::Refused { .. }));
        change(&world, &id, How::Roll { back_to: 1 }).await.unwrap();
        assert_eq!(file(&world, &id)["n"], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_directory_in_its_place_is_put_aside_at_the_start() {
    let world = World::new().await;
    let id = asleep(&world).await;
    world.write(&id, "config/in/the/way", "x").await;
    assert!(get(&world, &id).await.unreadable.is_some());
    world.control.start(&actor(), &id, Desired::On).await.unwrap();
    world.settle(&id, State::Running).await;
    assert!(file(&world, &id)["platform"].is_object());
    assert_eq!(world.sim.file(&id, "config.aside-1/in/the/way").as_deref(), Some(&b"x"[..]));
    assert!(world.control.view(&id).await.unwrap().notice.is_some(), "the owner is told");
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_too_much_is_refused() {
    let world = World::new().await;
    let id = asleep(&world).await;
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!({ "a": deep });
    }
    let huge = json!({ "a": "x".repeat(600_000) });
    for bad in [json!([1]), json!(null), json!("text"), deep, huge] {
        let error = change(&world, &id, How::Replace(bad)).await.unwrap_err();
        assert!(matches!(error, ControlError::Refused { .. }), "{error:?}");
    }
    assert!(world.sim.file(&id, "config").is_none());
}

#[tokio::test(start_paused = true)]
async fn keys_of_the_platform_are_not_the_owners_to_set() {
    let world = World::new().await;
    let id = asleep(&world).await;
    let whole = json!({"n": 1, "platform": {"token": "mine"}});
    let done = change(&world, &id, How::Replace(whole)).await.unwrap();
    assert_eq!(done.overridden, ["platform"]);
    assert_ne!(file(&world, &id)["platform"]["token"], "mine");
    assert_eq!(get(&world, &id).await.owner, json!({"n": 1}));
}

#[tokio::test(start_paused = true)]
async fn a_reload_restarts_only_what_does_not_take_it_up_by_itself() {
    let world = World::new().await;
    let id = asleep(&world).await;
    let reload = || async { world.control.reload_config(&actor(), &id).await };
    assert_eq!(reload().await.unwrap(), Applied::AtNextStart);
    assert_eq!(world.sim.faults().calls(Call::Start), 0);
    world.control.start(&actor(), &id, Desired::On).await.unwrap();
    world.settle(&id, State::Running).await;
    assert_eq!(reload().await.unwrap(), Applied::Live);
    assert_eq!(world.sim.faults().calls(Call::Start), 1);
    world.script.will().takes = [Ok(Taken::AtRestart)].into();
    assert_eq!(reload().await.unwrap(), Applied::Restarting);
    world.settle(&id, State::Running).await;
    assert_eq!(world.sim.faults().calls(Call::Start), 2);
}

#[tokio::test(start_paused = true)]
async fn many_changes_at_once_are_all_made() {
    let world = World::new().await;
    let id = world.running("pa", Desired::On).await;
    let changes = (0..4).map(|n| {
        let (control, id) = (world.control.clone(), id.clone());
        tokio::spawn(async move {
            let how = How::Patch(json!({ format!("key{n}"): n }));
            control.change_config(&actor(), &id, &how, &Terms::default()).await
        })
    });
    let done = futures_util::future::join_all(changes).await;
    let made = done.into_iter().filter(|done| done.as_ref().unwrap().is_ok()).count();
    let owner = get(&world, &id).await.owner;
    assert_eq!(owner.as_object().unwrap().len(), made, "{owner}");
    assert!(made >= 1);
}
