//! The page about what may leave a box, as a browser uses it.

use http::Method;
use serde_json::Value;
use smartbox_control::{Actor, NewRule};
use smartbox_core::egress::port::{Happening, Passage, Rules, Witness};
use smartbox_core::egress::{Decision, Effect, Host, Refusal, Rule, Scope, What, decide};
use smartbox_core::smartbox::{Kind, Smartbox};
use smartbox_core::time::Timestamp;

use crate::tenancy::Tenant;
use crate::world::{World, cookie};

const PAGE: &str = "/boxes/pa/egress";
type Form<'a> = &'a [(&'a str, &'a str)];

impl World {
    fn refuse(&self, row: &Smartbox, host: &str, port: u16, why: Refusal) {
        let (smartbox, host) = (row.id.clone(), host.to_owned());
        let what = Happening::Refused(why);
        self.book.note(Passage { smartbox, host, port, by: None, what });
    }

    async fn egress_page(&self, session: &str) -> String {
        let answer = self.ask(Method::GET, PAGE).header("cookie", session).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    /// Presses a button; the status, and where it leads.
    async fn press(&self, session: &str, form: Form<'_>) -> (u16, String) {
        let request = self.ask(Method::POST, PAGE).header("cookie", session);
        let answer = request.header("origin", self.origin()).form(form).send().await.unwrap();
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        (answer.status().as_u16(), to.unwrap_or_default())
    }

    async fn may(&self, to: &str) -> Decision {
        let standing = self.book.standing(&self.pa().await.id).await.unwrap();
        let (host, port) = Host::with_port(to, Some(443)).unwrap();
        decide(&standing.policy, &host, port, self.app.clock.now())
    }

    /// The rules that the owner added, as the API shows them.
    async fn rules(&self) -> Vec<Value> {
        let request = self.as_owner(Method::GET, "/api/v1/egress/rules?box=pa");
        let page: Value = request.send().await.unwrap().json().await.unwrap();
        let added = |rule: &&Value| rule["id"].is_string();
        page["items"].as_array().unwrap().iter().filter(added).cloned().collect()
    }
}

const BACK: (u16, &str) = (303, PAGE);

fn back((status, to): &(u16, String)) -> (u16, &str) {
    (*status, to.trim_end_matches("#rules"))
}

#[tokio::test]
async fn what_was_refused_is_allowed_by_a_button() {
    let world = World::new().await;
    let (session, pa) = (world.sign_in().await, world.pa().await);
    let text = world.egress_page(&session).await;
    assert!(text.contains("Nothing was refused.") && text.contains("Nothing went out."), "{text}");
    for _ in 0..3 {
        world.refuse(&pa, "api.example.com", 8443, Refusal::NotListed);
    }
    world.refuse(&pa, "10.0.0.1", 443, Refusal::Private);
    let text = world.egress_page(&session).await;
    assert!(text.contains("3 times, last just now: no rule allows it"), "{text}");
    assert!(text.contains("only the operator opens that"), "{text}");
    assert!(text.contains(r#"name="host" value="api.example.com""#), "{text}");
    assert!(!text.contains(r#"value="10.0.0.1""#), "no button for what no rule opens");
    assert_eq!(world.may("api.example.com:8443").await, Err(Refusal::NotListed));
    let host = [("host", "api.example.com"), ("port", "8443")];
    for (verb, until, once) in
        [("once", false, true), ("hour", true, false), ("good", false, false)]
    {
        let form = [("verb", verb), host[0], host[1]];
        assert_eq!(back(&world.press(&session, &form).await), BACK);
        assert!(world.may("api.example.com:8443").await.is_ok());
        let rules = world.rules().await;
        let rule = &rules[0];
        assert_eq!((rules.len(), rule["host"].as_str()), (1, Some("api.example.com")));
        assert_eq!(rule["ports"], serde_json::json!([8443]), "and nothing else of it");
        assert_eq!((rule["until"].is_i64(), rule["once"].as_bool()), (until, Some(once)));
        let text = world.egress_page(&session).await;
        assert!(text.contains("Allowed now"), "{text}");
        assert!(!text.contains(r#"value="api.example.com""#), "nothing is left to allow");
        let id = rule["id"].as_str().unwrap();
        assert!(text.contains(&format!(r#"name="rule" value="{id}""#)), "{text}");
        let remove = [("verb", "remove"), ("rule", id)];
        assert_eq!(back(&world.press(&session, &remove).await), BACK);
        assert!(world.rules().await.is_empty());
        assert_eq!(back(&world.press(&session, &remove).await), BACK, "gone is gone");
    }
    let never = [("verb", "deny"), host[0], host[1]];
    assert_eq!(back(&world.press(&session, &never).await), BACK);
    assert_eq!(world.may("api.example.com:8443").await, Err(Refusal::Denied));
}

#[tokio::test]
async fn lists_and_patterns_are_allowed_and_the_account_s_rules_are_taken_back() {
    let world = World::new().await;
    let (session, pa) = (world.sign_in().await, world.pa().await);
    let text = world.egress_page(&session).await;
    assert!(text.contains(r#"<option value="registries">registries: "#), "{text}");
    for (text, to) in [("registries", "pypi.org"), (" https://*.a.test/ ", "x.a.test")] {
        assert!(world.may(to).await.is_err());
        assert_eq!(back(&world.press(&session, &[("verb", "good"), ("text", text)]).await), BACK);
        assert!(world.may(to).await.is_ok(), "{to}");
    }
    let all = NewRule {
        effect: Effect::Allow,
        what: What::Rule(Rule::parse("all.test").unwrap()),
        until: None,
        once: false,
    };
    let scope = Scope::Account(pa.account.clone());
    let (actor, control) = (Actor::platform(), &world.app.control);
    let kept = control.add_egress(&actor, &pa.account, scope, all).await.unwrap();
    let text = world.egress_page(&session).await;
    assert!(
        text.contains("Take back for all") && text.contains("for all your smartboxes"),
        "{text}"
    );
    let id = kept.id.to_string();
    world.press(&session, &[("verb", "remove"), ("rule", &id)]).await;
    assert!(world.may("all.test").await.is_ok(), "it is not the smartbox's own");
    world.press(&session, &[("verb", "remove"), ("rule", &id), ("all", "true")]).await;
    assert!(world.may("all.test").await.is_err());
}

#[tokio::test]
async fn what_a_box_calls_a_host_is_text_on_the_page_and_no_rule() {
    let world = World::new().await;
    let (session, pa) = (world.sign_in().await, world.pa().await);
    let hostile = [
        "<script>alert(1)</script>",
        "\"><button>Allow",
        "'onmouseover='x",
        "{{name}}",
        "*",
        "&lt;",
        "(others)",
    ];
    for host in hostile {
        world.refuse(&pa, host, 443, Refusal::NotListed);
        world.refuse(&pa, host, 0, Refusal::Host);
    }
    let long = format!("{}.test", vec!["a".repeat(60); 4].join("."));
    world.refuse(&pa, &long, 443, Refusal::NotListed);
    let (smartbox, by) = (pa.id.clone(), smartbox_core::sandbox::Program::new(b"<b>evil"));
    assert!(by.is_some());
    let (host, what) = ("by.test".to_owned(), Happening::Refused(Refusal::Denied));
    world.book.note(Passage { smartbox, host, port: 443, by, what });
    let text = world.egress_page(&session).await;
    assert!(text.contains("evil</code>"), "{text}");
    for raw in ["<script", "\"><button>", "'onmouseover", "<b>"] {
        assert!(!text.contains(raw), "{raw} in {text}");
    }
    assert!(text.contains("&#60;script&#62;alert(1)") || text.contains("&lt;script&gt;alert(1)"));
    assert!(text.contains("{{name}}"), "rendered once, not twice");
    let buttons = text.matches(r#"value="once" aria-label"#).count();
    assert_eq!(buttons, 1, "only for the host that is one: {text}");
    // Nor does a forged form make a rule of it: a host that was seen is no pattern.
    for host in hostile {
        let (status, _) =
            world.press(&session, &[("verb", "good"), ("host", host), ("port", "443")]).await;
        assert_eq!(status, 400, "{host}");
    }
    assert!(world.rules().await.is_empty());
}

#[tokio::test]
async fn a_form_that_says_nothing_or_too_much_is_refused() {
    let world = World::new().await;
    let session = world.sign_in().await;
    let forms: [Form<'_>; 13] = [
        &[],
        &[("verb", "good")],
        &[("verb", "all"), ("text", "a.test")],
        &[("verb", "good"), ("text", "")],
        &[("verb", "good"), ("text", "a.test:0")],
        &[("verb", "good"), ("text", "a.test/path")],
        &[("verb", "good"), ("host", "a.test")],
        &[("verb", "good"), ("host", "a.test"), ("port", "0")],
        &[("verb", "good"), ("host", "a.test"), ("port", "70000")],
        &[("verb", "good"), ("host", "a.test"), ("port", "443"), ("text", "b.test")],
        &[("verb", "good"), ("host", "a.test"), ("port", "443"), ("box", "other")],
        &[("verb", "good"), ("text", "no-such-list")],
        &[("verb", "once"), ("text", "registries")],
    ];
    for form in forms {
        let (status, _) = world.press(&session, form).await;
        assert!((400..500).contains(&status), "{form:?}: {status}");
    }
    assert!(world.rules().await.is_empty());
}

#[tokio::test]
async fn only_the_owner_s_own_pages_press_buttons() {
    let world = World::new().await;
    let session = world.sign_in().await;
    let form = [("verb", "good"), ("host", "a.test"), ("port", "443")];
    // Nobody: a page that asks to sign in, and leads back here.
    let asked = world.ask(Method::GET, PAGE).send().await.unwrap();
    assert_eq!(asked.status(), 401);
    assert!(asked.text().await.unwrap().contains(r#"name="next" value="/boxes/pa/egress""#));
    let nobody = world.ask(Method::POST, PAGE).form(&form).send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    // The owner's browser, led by another page, by a box's, or by one that does not say.
    let host = format!("http://pa.localhost:{}", world.port);
    for origin in [Some("http://evil.example"), Some(host.as_str()), Some("null"), None] {
        let request = world.ask(Method::POST, PAGE).header("cookie", &session).form(&form);
        let request = origin.map_or(request.try_clone().unwrap(), |o| request.header("origin", o));
        assert_eq!(request.send().await.unwrap().status(), 403, "{origin:?}");
    }
    // On the box's own host there is no such page.
    let request = world.to_box(Method::POST, "pa", PAGE).header("cookie", &session).form(&form);
    assert_ne!(request.header("origin", host).send().await.unwrap().status(), 303);
    // A GET changes nothing.
    let query = "?verb=good&host=a.test&port=443";
    let get = world.ask(Method::GET, &format!("{PAGE}{query}")).header("cookie", &session);
    assert_eq!(get.send().await.unwrap().status(), 200);
    // Another account's is not there, neither to see nor to change, by name or by id.
    let ann = Tenant::new(&world, "ann").await;
    let site = ann.smartbox(&world, "site", Kind::PROJECT).await;
    world.refuse(&site, "secret-of-ann.test", 443, Refusal::NotListed);
    for name in ["site", site.id.as_str(), &site.label, "nowhere", "%2e%2e"] {
        let path = format!("/boxes/{name}/egress");
        for method in [Method::GET, Method::POST] {
            let request = world.ask(method.clone(), &path).header("cookie", &session);
            let request = request.header("origin", world.origin()).form(&form);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 404, "{method} {path}");
            assert!(!answer.text().await.unwrap().contains("secret-of-ann"));
        }
    }
    assert!(world.rules().await.is_empty());
    // Nor is a rule of hers taken back by its id.
    let (actor, control) = (Actor::platform(), &world.app.control);
    let rule = NewRule {
        effect: Effect::Allow,
        what: What::Rule(Rule::parse("a.test").unwrap()),
        until: None,
        once: false,
    };
    let account = ann.account.id.clone();
    for scope in [Scope::Smartbox(site.id.clone()), Scope::Account(account.clone())] {
        let kept = control.add_egress(&actor, &account, scope, rule.clone()).await.unwrap();
        let id = kept.id.to_string();
        world.press(&session, &[("verb", "remove"), ("rule", &id)]).await;
        world.press(&session, &[("verb", "remove"), ("rule", &id), ("all", "true")]).await;
    }
    assert_eq!(control.egress(&site.id).await.unwrap().kept.len(), 2);
    // Ann signs in and sees her own.
    let link = world.ask(Method::GET, &format!("/?token={}", ann.token)).send().await.unwrap();
    let hers = cookie(&link).unwrap();
    let own = world.ask(Method::GET, "/boxes/site/egress").header("cookie", hers);
    let text = own.send().await.unwrap().text().await.unwrap();
    assert!(text.contains("secret-of-ann.test"), "{text}");
}

#[tokio::test]
async fn the_page_is_bounded_however_much_was_refused() {
    let world = World::new().await;
    let (session, pa) = (world.sign_in().await, world.pa().await);
    for n in 0..400 {
        world.refuse(&pa, &format!("{n}.test"), 443, Refusal::NotListed);
    }
    let text = world.egress_page(&session).await;
    assert_eq!(text.matches(r#"value="once" aria-label"#).count(), 100);
    assert!(text.contains("300 more"), "{text}");
    let boxes = world.ask(Method::GET, "/boxes").header("cookie", &session).send().await.unwrap();
    assert!(boxes.text().await.unwrap().contains(r#"href="/boxes/pa/egress""#));
    let audit = world.app.control.egress_uses(&pa.id, Timestamp(0), 1_000).await.unwrap();
    assert_eq!(audit.len(), 400, "looking forgets nothing");
}
