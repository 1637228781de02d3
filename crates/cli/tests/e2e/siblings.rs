//! A smartbox whose pages are hostile, below a real domain under TLS: `a.sb.example.test` is for browsers the
//! same site as `b.sb.example.test` and as the platform, so that they draw no line themselves that the platform
//! does not.

use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::platform::{Platform, puppet};

const LONG: Duration = Duration::from_secs(120);
const PAGE: &str = include_str!("siblings.html");
const DOMAIN: &str = "sb.example.test";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_page_below_a_real_domain_reaches_no_sibling() {
    let office = tempfile::tempdir().unwrap();
    let names = vec![DOMAIN.to_owned(), format!("*.{DOMAIN}")];
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let at = |name| office.path().join(name);
    std::fs::write(at("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(at("key.pem"), key.serialize_pem()).unwrap();
    // Somebody may take it in between; then this test says so.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let origin = format!("https://{DOMAIN}:{free}");
    let config = format!(
        "{}[http]\nurl = {origin:?}\n[http.tls]\ncertificate = {:?}\nkey = {:?}\n",
        puppet(),
        at("cert.pem"),
        at("key.pem")
    );
    let platform = Platform::start_at(&config, &format!("127.0.0.1:{free}"), &origin);
    platform.ok(["new", "other"]);
    let fed = platform.feed(&["cp", "-", "pa:pages/siblings.html"], PAGE);
    assert!(fed.status.success(), "{}", String::from_utf8_lossy(&fed.stderr));
    let of = |name: &str| format!("https://{name}.{DOMAIN}:{free}");

    let rules = "--host-resolver-rules=MAP *.example.test 127.0.0.1";
    let mut browser = Browser::start_with(&[rules, "--ignore-certificate-errors"]).await;
    // Signed in everywhere.
    browser.open(&platform.link).await;
    let arrived =
        |name: &str| format!("location.origin === {:?} && document.title === 'puppet'", of(name));
    browser.wait(&arrived("pa"), LONG).await;
    browser.open(&format!("{origin}/open/other")).await;
    browser.wait(&arrived("other"), LONG).await;
    let before = platform.ok(["ls", "--json"]);

    let hostile = format!("{}/pages/siblings.html", of("pa"));
    browser.open_ready(&hostile, "document.title === 'done'", LONG).await;
    let report = browser.eval("window.report").await;
    assert_eq!((&report["acted"], &report["sees"]), (&json!([]), &json!(true)), "{report}");
    assert!(report["tried"].as_u64().unwrap() > 20, "it tried them all: {report}");
    assert!(report["tossed"].as_u64().unwrap() > 0, "a browser lets it toss some: {report}");

    // Its cookies of the whole domain took nobody's place: everybody is still who they were.
    browser.open_list(&origin, LONG).await;
    browser.open_ready(&format!("{}/", of("other")), "document.title === 'puppet'", LONG).await;
    assert_eq!(browser.eval("navigator.serviceWorker.controller").await, Value::Null);
    let desired = |text: &str| -> Vec<Value> {
        let boxes: Vec<Value> = serde_json::from_str(text).unwrap();
        boxes.iter().map(|one| json!([one["name"], one["desired"]])).collect()
    };
    assert_eq!(desired(&platform.ok(["ls", "--json"])), desired(&before), "nothing has changed");
}
