//! A smartbox whose pages are hostile, opened by its owner in a real browser that is signed in
//! everywhere: to the platform, to that smartbox, and to another one.

use std::time::Duration;

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::platform::{Platform, puppet};

const LONG: Duration = Duration::from_secs(120);
const PAGE: &str = include_str!("hostile.html");
/// Answers whatever it is asked for; were it asked for another origin's pages, they would say so.
const WORKER: &str = "self.onfetch = (e) => e.respondWith(new Response('taken over'));";

/// What must be the same before and after.
fn state(platform: &Platform) -> Value {
    let boxes: Vec<Value> = serde_json::from_str(&platform.ok(["ls", "--json"])).unwrap();
    let kept = |one: &Value| json!([one["name"], one["desired"], one["id"]]);
    let rules = |name: &str| platform.ok(["egress", name, "--json"]);
    json!([boxes.iter().map(kept).collect::<Vec<_>>(), rules("pa"), rules("other")])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_page_of_a_box_acts_on_nothing_but_its_box() {
    let platform = Platform::start(&puppet(), &[]);
    platform.ok(["new", "other"]);
    for (name, text) in [("hostile.html", PAGE), ("worker.js", WORKER)] {
        let fed = platform.feed(&["cp", "-", &format!("pa:pages/{name}")], text);
        assert!(fed.status.success(), "{}", String::from_utf8_lossy(&fed.stderr));
    }
    let origin = format!("http://127.0.0.1:{}", platform.port);
    let at = |name: &str| format!("http://{name}.localhost:{}", platform.port);
    let mut browser = Browser::start().await;
    // Signed in everywhere. The link leads to `pa`, and a click leads on to the other one.
    browser.open(&platform.link).await;
    let arrived =
        |name: &str| format!("location.origin === {:?} && document.title === 'puppet'", at(name));
    browser.wait(&arrived("pa"), LONG).await;
    browser.open(&format!("{origin}/open/other")).await;
    browser.wait(&arrived("other"), LONG).await;
    let before = state(&platform);

    browser
        .open_ready(&format!("{}/pages/hostile.html", at("pa")), "document.title === 'done'", LONG)
        .await;
    let report = browser.eval("window.report").await;
    assert_eq!((&report["acted"], &report["sees"]), (&json!([]), &json!(true)), "{report}");
    assert!(report["tried"].as_u64().unwrap() > 40, "it tried them all: {report}");

    assert_eq!(state(&platform), before, "nothing has changed");
    // Nobody was signed out, no cookie of its took ours' place, and its worker rules nowhere else.
    browser.open_list(&origin, LONG).await;
    browser.open_ready(&format!("{}/", at("other")), "document.title === 'puppet'", LONG).await;
    assert_eq!(browser.eval("document.cookie").await, json!(""));
    // A window that was opened from its page is cut off from it, and it from the window.
    let page = format!("{}/pages/plain.html", at("pa"));
    platform.feed(&["cp", "-", "pa:pages/plain.html"], "<!doctype html><title>plain</title>");
    browser.call("Network.enable", json!({})).await;
    browser.call("Network.setBypassServiceWorker", json!({ "bypass": true })).await;
    browser.open_ready(&page, "document.title === 'plain'", LONG).await;
    let opened = format!(
        "(async () => {{ const w = window.open({:?}); await new Promise((d) => setTimeout(d, 1500)); \
         try {{ return Boolean(w && w.document.body.innerText); }} catch {{ return false; }} }})()",
        format!("{origin}/boxes")
    );
    assert_eq!(browser.eval(&opened).await, json!(false));
}
