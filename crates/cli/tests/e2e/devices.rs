//! Browsers as devices, in a real browser: the key that nothing can read, the cookie that is no use without
//! it, the page that waits, the link for a phone.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::platform::{Platform, puppet};

const LONG: Duration = Duration::from_secs(120);
/// What is cut is cut within a second; a test's own commands take some of that, too.
const CUT: Duration = Duration::from_secs(3);

fn devices(platform: &Platform) -> Vec<Value> {
    serde_json::from_str(&platform.ok(["devices", "ls", "--json"])).unwrap()
}

fn origin(platform: &Platform) -> String {
    format!("http://127.0.0.1:{}", platform.port)
}

fn at(platform: &Platform, name: &str) -> String {
    format!("http://{name}.localhost:{}", platform.port)
}

fn arrived(platform: &Platform, name: &str) -> String {
    format!("location.origin === {:?} && document.title === 'puppet'", at(platform, name))
}

fn says(text: &str) -> String {
    format!("document.readyState === 'complete' && document.body.innerText.includes({text:?})")
}

/// Takes a picture as a desk and as a phone see it, if somebody wants to look.
async fn pictures(browser: &mut Browser, name: &str) {
    for (width, height) in [(1280, 900), (390, 844)] {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        browser.call("Emulation.setDeviceMetricsOverride", size).await;
        browser.picture(&format!("{name}-{width}")).await;
    }
    browser.call("Emulation.clearDeviceMetricsOverride", json!({})).await;
}

/// Gives a browser the cookie that another one has on the platform's origin.
async fn steal(platform: &Platform, from: &mut Browser, to: &mut Browser) {
    let urls = json!({ "urls": [origin(platform)] });
    let cookies = from.call("Network.getCookies", urls).await["cookies"].clone();
    let cookies = cookies.as_array().unwrap();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    let taken = json!({
        "url": origin(platform), "name": cookies[0]["name"], "value": cookies[0]["value"],
    });
    to.call("Network.setCookie", taken).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_known_by_its_key_and_shut_out_at_once() {
    let platform = Platform::start(&puppet(), &[]);
    let mut browser = Browser::start().await;
    browser.open(&platform.link).await;
    browser.wait(&arrived(&platform, "pa"), LONG).await;
    let listed = devices(&platform);
    assert_eq!(listed.len(), 1, "{listed:?}");
    let device = &listed[0];
    assert_eq!((&device["name"], &device["keyed"]), (&json!("Chromium on Linux"), &json!(true)));
    assert_eq!((&device["kind"], &device["state"]), (&json!("browser"), &json!("approved")));

    // A second visit needs no sign-in, and makes no second device.
    browser.open(&origin(&platform)).await;
    browser.wait(&arrived(&platform, "pa"), LONG).await;
    assert_eq!(devices(&platform).len(), 1);
    nothing_reads_the_key(&platform, &mut browser).await;
    a_stolen_cookie_opens_nothing(&platform, &mut browser).await;
    a_lost_key_is_told(&platform, &mut browser).await;

    // Again, by the link; what is shut out is the page and the socket that it has.
    browser.open(&platform.link).await;
    browser.wait(&arrived(&platform, "pa"), LONG).await;
    let listed = devices(&platform);
    let keyed = listed.iter().max_by_key(|device| device["created"].as_i64());
    let id = keyed.unwrap()["id"].as_str().unwrap().to_owned();
    browser
        .eval("window.socket = new WebSocket(`ws://${location.host}/`); socket.onclose = () => window.cut = true; 0")
        .await;
    browser.wait("socket.readyState === 1", LONG).await;
    assert!(browser.eval("window.cut").await.is_null(), "it is open until then");
    platform.ok(["devices", "revoke", &id]);
    let began = Instant::now();
    browser.wait("window.cut", CUT).await;
    eprintln!("devices: the socket was cut {:?} after the command", began.elapsed());
    browser.open(&at(&platform, "pa")).await;
    browser.wait(&says("Sign in"), LONG).await;
    assert_eq!(browser.eval("location.origin").await, json!(origin(&platform)));
    // By the same key it does not come in again, and is told what to do.
    browser.open(&platform.link).await;
    browser.wait(&says("This browser was shut out"), LONG).await;
    pictures(&mut browser, "shut-out").await;
}

async fn nothing_reads_the_key(platform: &Platform, browser: &mut Browser) {
    browser.open(&format!("{}/boxes", origin(platform))).await;
    browser.wait(&says("Your smartboxes"), LONG).await;
    pictures(browser, "boxes").await;
    let read = browser
        .eval(
            "(async () => {
                const done = (r) => new Promise((good) => { r.onsuccess = () => good(r.result); });
                const all = await done(indexedDB.open('smartbox', 1));
                const [key] = await done(all.transaction('keys').objectStore('keys').getAll());
                all.close();
                const out = [];
                for (const form of ['jwk', 'pkcs8', 'raw']) {
                    try { out.push(await crypto.subtle.exportKey(form, key.privateKey)); }
                    catch (error) { out.push(error.name); }
                }
                return JSON.stringify([key.privateKey.extractable, key.privateKey.usages, out]);
            })()",
        )
        .await;
    let read: Value = serde_json::from_str(read.as_str().unwrap()).unwrap();
    assert_eq!((&read[0], &read[1]), (&json!(false), &json!(["sign"])), "{read}");
    let refused =
        read[2].as_array().unwrap().iter().all(|it| it.as_str().unwrap().ends_with("Error"));
    assert!(refused, "{read}");
    assert_eq!(browser.eval("document.cookie").await, json!(""));
}

async fn a_stolen_cookie_opens_nothing(platform: &Platform, browser: &mut Browser) {
    let mut thief = Browser::start().await;
    steal(platform, browser, &mut thief).await;
    thief.open(&format!("{}/open/pa", origin(platform))).await;
    thief.wait(&says("lost the key"), LONG).await;
    pictures(&mut thief, "no-key").await;
    assert_eq!(thief.eval("location.origin").await, json!(origin(platform)));
    thief.open(&at(platform, "pa")).await;
    thief.wait(&says("lost the key"), LONG).await;
    // By a key of his own neither.
    thief.eval("document.getElementById('open').dataset.known = 'false'; show(); 0").await;
    thief.wait(&says("not the browser that signed in"), LONG).await;
    assert_eq!(thief.eval("location.origin").await, json!(origin(platform)));
    browser.open(&origin(platform)).await;
    browser.wait(&arrived(platform, "pa"), LONG).await;
}

/// Whoever clears the browser's storage and keeps its cookies signs in again.
async fn a_lost_key_is_told(platform: &Platform, browser: &mut Browser) {
    let gone = json!({ "origin": origin(platform), "storageTypes": "indexeddb" });
    browser.call("Storage.clearDataForOrigin", gone).await;
    browser.open(&format!("{}/open/pa", origin(platform))).await;
    browser.wait(&says("lost the key"), LONG).await;
    browser.eval("document.querySelector('form[action=\"/logout\"]').submit()").await;
    browser.wait(&says("Sign in"), LONG).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_waits_goes_on_when_it_is_let_in_and_an_invitation_is_good_once() {
    let platform = Platform::start(&(puppet() + "[devices]\nbrowsers = \"ask\"\n"), &[]);
    platform.ok(["new", "other"]);
    let token = platform.ok(["token", "create", "for the browser"]);
    let link = format!("{}/?token={}", origin(&platform), token.trim());
    let mut browser = Browser::start().await;
    browser.open(&link).await;
    browser.wait(&says("Waiting to be let in"), LONG).await;
    pictures(&mut browser, "waits").await;
    let shown =
        browser.eval("[...document.querySelectorAll('dd')].map((it) => it.innerText)").await;
    let (code, digits) = (shown[0].as_str().unwrap(), &shown[1]);
    let listed = devices(&platform);
    assert_eq!(&listed[0]["asks"]["comparison"], digits, "{listed:?}");
    platform.ok(["devices", "approve", code, "--yes"]);
    browser.wait(&arrived(&platform, "pa"), LONG).await;

    let invite = ["devices", "invite", "--smartbox", "pa", "--name", "my phone", "--json"];
    let invited: Value = serde_json::from_str(&platform.ok(invite)).unwrap();
    assert!(platform.ok(["token", "ls"]).contains("invitation my phone"));
    let url = invited["url"].as_str().unwrap();
    let mut phone = Browser::start().await;
    let small = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
    phone.call("Emulation.setDeviceMetricsOverride", small).await;
    let agent = "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/156.0.0.0 Mobile Safari/537.36";
    phone.call("Emulation.setUserAgentOverride", json!({ "userAgent": agent })).await;
    phone.open(url).await;
    phone.wait(&says("You are invited"), LONG).await;
    pictures(&mut phone, "invited").await;
    assert_eq!(phone.eval("location.hash").await, json!(""), "the value leaves the address");
    phone.eval("document.querySelector('button').click()").await;
    phone.wait(&arrived(&platform, "pa"), LONG).await;
    let listed = devices(&platform);
    let row = listed.iter().find(|device| device["name"] == "my phone").unwrap();
    let has = (&row["granted"], &row["state"], &row["keyed"], &row["platform"]);
    assert_eq!(has, (&json!("chat"), &json!("approved"), &json!(true), &json!("Android")));
    // That smartbox, and nothing beside it.
    phone.open(&format!("{}/boxes", origin(&platform))).await;
    phone.wait(&says("Your smartboxes"), LONG).await;
    assert!(!phone.eval("document.body.innerText").await.as_str().unwrap().contains("other"));
    phone.open(&format!("{}/open/other", origin(&platform))).await;
    phone.wait(&says("Not found"), LONG).await;

    let mut late = Browser::start().await;
    late.open(url).await;
    late.wait(&says("You are invited"), LONG).await;
    late.eval("document.querySelector('button').click()").await;
    late.wait(&says("This invitation is over"), LONG).await;
    pictures(&mut late, "over").await;
}
