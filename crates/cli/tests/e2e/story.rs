//! The chapters.

use std::time::Duration;

use serde_json::json;

use crate::browser::Browser;
use crate::platform::Platform;

const BOOT: Duration = Duration::from_secs(240);
const TURN: Duration = Duration::from_secs(90);
const COMPOSER: &str = "Array.from(document.querySelectorAll('textarea')).find(t => t.placeholder.startsWith('Message') && t.offsetParent)";

pub fn config() -> String {
    let engine = std::env::var("SMARTBOX_TEST_ENGINE").unwrap_or_else(|_| {
        panic!("SMARTBOX_TEST_ENGINE must name the installed engine; `.ci/test` installs it and sets this")
    });
    format!("[engine]\npath = {engine:?}\n[boxes]\npatience = 3\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_talks_to_a_real_assistant_that_sleeps_and_remembers() {
    let mut platform = Platform::start(&config(), &[]);
    let mut browser = Browser::start().await;
    the_link_leads_to_the_assistant(&platform, &mut browser).await;
    nothing_of_the_engine_is_in_the_browser(&mut browser).await;
    a_message_typed_is_answered(&mut browser, "My name is Robin. Please remember it.", "Robin")
        .await;
    browser.picture("3-answered").await;
    a_frozen_box_keeps_its_tab(&platform, &mut browser).await;
    the_terminal_talks_to_the_same_assistant(&platform).await;
    a_stopped_box_keeps_its_tab(&platform, &mut browser).await;
    the_control_plane_may_die(&mut platform);
}

async fn the_link_leads_to_the_assistant(platform: &Platform, browser: &mut Browser) {
    browser.open(&platform.link).await;
    let origin = format!("http://pa.localhost:{}", platform.port);
    browser
        .wait(
            &format!("location.origin === {origin:?} && document.readyState === 'complete'"),
            BOOT,
        )
        .await;
    browser.picture("1-loading").await;
    assert_eq!(
        browser.eval("location.search").await,
        json!(""),
        "no token or ticket stays in the address"
    );
    browser.wait(COMPOSER, BOOT).await;
    browser.picture("2-control-ui").await;
    let text = browser.eval("document.body.innerText").await;
    assert!(
        !text.as_str().unwrap().to_lowercase().contains("pairing"),
        "no pairing prompt: {text}"
    );
}

async fn nothing_of_the_engine_is_in_the_browser(browser: &mut Browser) {
    let stored = browser
        .eval("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        .await;
    let stored = stored.as_str().unwrap();
    for word in ["control.token", "sbm_", "x-smartbox", "smartbox_session", "gateway-token"] {
        assert!(!stored.contains(word), "{word} is within reach of the page: {stored}");
    }
}

/// Types a message and waits until `answer` stands on the page once more than the message itself says it.
async fn a_message_typed_is_answered(browser: &mut Browser, text: &str, answer: &str) {
    let count = format!("document.body.innerText.split({answer:?}).length - 1");
    let before = browser.eval(&count).await.as_u64().unwrap_or(0);
    let focus = format!(
        "(() => {{ const t = {COMPOSER}; if (!t) return false; t.focus(); return true; }})()"
    );
    browser.wait(&focus, BOOT).await;
    browser.type_line(text).await;
    let more = before + text.matches(answer).count() as u64;
    browser.wait(&format!("{count} > {more}"), TURN).await;
}

async fn a_frozen_box_keeps_its_tab(platform: &Platform, browser: &mut Browser) {
    browser.eval("window.before = 'the page was not reloaded'").await;
    platform.ok(["sleep", "pa"]);
    platform.wait_for("pa", "frozen", TURN);
    let frozen = Duration::from_secs(90);
    // Time itself is what is tested here: the page gives up a silent connection after 60 to 90 seconds.
    tokio::time::sleep(frozen).await;
    assert_eq!(platform.state("pa"), "frozen", "an open but quiet tab does not wake the box");
    a_message_typed_is_answered(browser, "What is my name?", "Robin").await;
    assert_eq!(browser.eval("window.before").await, json!("the page was not reloaded"));
    browser.picture("4-after-frozen").await;
    assert_eq!(platform.state("pa"), "running");
}

async fn the_terminal_talks_to_the_same_assistant(platform: &Platform) {
    let first = platform.ok(["chat", "pa", "What is my name?"]);
    assert!(first.contains("Robin"), "{first}");
    platform.ok(["sleep", "pa"]);
    assert_eq!(platform.state("pa"), "frozen");
    let second = platform.ok(["chat", "pa", "And what is my name now?"]);
    assert!(second.contains("Robin"), "{second}");
    assert_eq!(platform.state("pa"), "running");
}

async fn a_stopped_box_keeps_its_tab(platform: &Platform, browser: &mut Browser) {
    platform.ok(["sleep", "--deep", "pa"]);
    assert_eq!(platform.state("pa"), "stopped");
    let third = platform.ok(["chat", "pa", "Do you still know my name?"]);
    assert!(third.contains("Robin"), "{third}");
    a_message_typed_is_answered(browser, "What is my name, once more?", "Robin").await;
    browser.picture("5-after-stopped").await;
}

fn the_control_plane_may_die(platform: &mut Platform) {
    let listen = platform.listen();
    let before = engine_pids(platform);
    assert!(!before.is_empty());
    platform.kill();
    assert_eq!(engine_pids(platform), before, "the sandbox outlives the control plane");
    platform.up(&listen);
    platform.wait_for("pa", "running", BOOT);
    assert_eq!(engine_pids(platform), before, "the next one adopts it");
    let answer = platform.ok(["chat", "pa", "What is my name?"]);
    assert!(answer.contains("Robin"), "{answer}");
    platform.term();
    assert_eq!(engine_pids(platform), before, "a drained platform leaves its boxes running");
    platform.up(&listen);
}

fn engine_pids(platform: &Platform) -> Vec<u32> {
    let mut pids: Vec<u32> = platform
        .box_pids("/engine")
        .into_iter()
        .filter(|pid| {
            std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| {
                comm.trim() == "openclaw-gatewa" || comm.trim() == "openclaw-gateway"
            })
        })
        .collect();
    pids.sort_unstable();
    pids
}
