//! Kinds: what they put into a home, and when.

use smartbox_control::{ControlError, How, NewSmartbox, Terms};
use smartbox_core::smartbox::{Desired, Kind, Smartbox, State};

use crate::world::{World, actor};

async fn legal(world: &World, desired: Desired) -> Smartbox {
    let account = world.control.ensure_account("me").await.unwrap();
    let new = NewSmartbox::of("legal", Kind::parse("legal").unwrap(), desired);
    world.control.create(&actor(), &account.id, new).await.unwrap()
}

fn text(world: &World, row: &Smartbox, path: &str) -> Option<String> {
    world.sim.file(&row.id, path).map(|bytes| String::from_utf8(bytes).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_kind_furnishes_the_home_before_the_first_start_and_never_again() {
    let world = World::new().await;
    let row = legal(&world, Desired::On).await;
    assert_eq!((row.tier.as_str(), row.furnished), ("large", false));
    let row = world.settle(&row.id, State::Running).await;
    assert!(row.furnished);
    assert_eq!(text(&world, &row, "workspace/SOUL.md").unwrap(), "You read contracts.\n");
    let instructions = text(&world, &row, "workspace/AGENTS.md").unwrap();
    assert!(instructions.starts_with("Begin with the last page.\n\n## This place\n"));
    assert_eq!(text(&world, &row, "workspace/knowledge/law.md").unwrap(), "None.\n");
    // The engine's configuration began with what the kind says.
    assert!(text(&world, &row, "config").unwrap().contains("\"colour\": \"blue\""));
    assert_eq!(world.control.view(&row.id).await.unwrap().notice.unwrap(), "It is no lawyer.");

    // What the owner or the assistant made of it is theirs: changed stays changed, gone stays gone.
    world.sim.put_file(&row.id, "workspace/SOUL.md", Some(b"You are a pirate."));
    world.sim.put_file(&row.id, "workspace/knowledge/law.md", None);
    world.control.restart(&actor(), &row.id).await.unwrap();
    world.settle(&row.id, State::Running).await;
    assert_eq!(text(&world, &row, "workspace/SOUL.md").unwrap(), "You are a pirate.");
    assert_eq!(text(&world, &row, "workspace/knowledge/law.md"), None);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_there_before_the_first_start_is_left_alone() {
    let world = World::new().await;
    let row = legal(&world, Desired::Off).await;
    world.sim.put_file(&row.id, "workspace/SOUL.md", Some(b"Mine."));
    world.control.start(&actor(), &row.id, Desired::On).await.unwrap();
    let row = world.settle(&row.id, State::Running).await;
    assert_eq!(text(&world, &row, "workspace/SOUL.md").unwrap(), "Mine.");
    assert!(text(&world, &row, "workspace/AGENTS.md").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_is_changed_before_the_first_start_keeps_what_the_kind_says() {
    let world = World::new().await;
    let row = legal(&world, Desired::Off).await;
    let seen = world.control.config(&row.id).await.unwrap();
    assert!(seen.owner.to_string().contains("blue"), "{}", seen.owner);
    let how = How::Patch(serde_json::json!({ "mine": 1 }));
    world.control.change_config(&actor(), &row.id, &how, &Terms::default()).await.unwrap();
    world.control.start(&actor(), &row.id, Desired::On).await.unwrap();
    let row = world.settle(&row.id, State::Running).await;
    let config = text(&world, &row, "config").unwrap();
    assert!(config.contains("blue") && config.contains("mine"), "{config}");
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_there_is_none_of_makes_no_box() {
    let world = World::new().await;
    let account = world.control.ensure_account("me").await.unwrap();
    let new = NewSmartbox::of("x", Kind::parse("nothing").unwrap(), Desired::Off);
    let error = world.control.create(&actor(), &account.id, new).await.unwrap_err();
    assert!(matches!(error, ControlError::Refused { .. }), "{error}");
    assert!(world.control.list(&account.id).await.unwrap().is_empty());
}
