//! The pages on which people decide about devices, as a browser uses them, and as somebody does who should
//! not.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use smartbox_api::dpop;
use smartbox_core::audit::Entry;
use smartbox_core::device::{Asking, Device, DeviceId, Kind as What, PublicKey, State, code};
use smartbox_core::id::{AccountId, PersonId};
use smartbox_core::limit::{Patience, Rates};
use smartbox_core::person::{Person, Right, Role};
use smartbox_core::store;
use smartbox_server::access::Caller;
use smartbox_server::sign_in::SignIn;
use smartbox_server::system::SystemEntropy;

use crate::devices::{Laptop, asks_by, mark};
use crate::rights::Guest;
use crate::tenancy::Tenant;
use crate::world::{World, by_its_key, cookie};

const ADMIN: &str = "/_admin/";
const DEVICE: &str = "/device";
pub(crate) type Form<'a> = &'a [(&'a str, &'a str)];

impl World {
    fn me(&self) -> Tenant {
        Tenant { account: self.app.account.clone(), token: self.token.clone() }
    }

    pub(crate) async fn page(&self, session: &str, path: &str) -> (u16, String) {
        let request = self.ask(Method::GET, path).header("cookie", session);
        let answer = request.header("accept", "text/html").send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn admin(&self, session: &str) -> String {
        let (status, text) = self.page(session, ADMIN).await;
        assert_eq!(status, 200, "{text}");
        text
    }

    /// Presses a button of our own page; the status, where it leads, and what is said.
    pub(crate) async fn push(
        &self,
        session: &str,
        path: &str,
        form: Form<'_>,
    ) -> (u16, String, String) {
        let request = self.ask(Method::POST, path).header("cookie", session);
        let request = request.header("origin", self.origin()).header("accept", "text/html");
        let answer = request.form(form).send().await.unwrap();
        let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
        (answer.status().as_u16(), to.unwrap_or_default(), answer.text().await.unwrap())
    }

    pub(crate) async fn device(&self, id: &DeviceId) -> Device {
        let id = id.clone();
        store::read(&*self.app.store, |tx| Box::pin(async move { tx.devices().get(id).await }))
            .await
            .unwrap()
            .unwrap()
    }

    /// Somebody who runs the installation and has no role anywhere.
    async fn operator(&self, right: Right) -> (PersonId, String) {
        let id = PersonId::generate(&*self.app.entropy);
        let person = Person {
            id: id.clone(),
            name: "Olga".into(),
            email: None,
            operator: Some(right),
            disabled: false,
            created: self.app.clock.now(),
        };
        store::write(&*self.app.store, |tx| Box::pin(async move { tx.people().add(person).await }))
            .await
            .unwrap();
        let owner = Caller::owner(self.app.account.id.clone(), format!("person:{id}"));
        let caller = Caller { person: Some(id.clone()), right: None, ..owner };
        let value = self.app.access.begin(&caller, crate::world::newcomer(), true).await.unwrap();
        (id, format!("{}={}", self.app.site.cookie(), value.expose()))
    }

    async fn acts(&self, account: &AccountId) -> Vec<Entry> {
        let account = account.clone();
        let acts = store::read(&*self.app.store, |tx| {
            Box::pin(async move { tx.audit().list(account, 0, 100).await })
        });
        acts.await.unwrap()
    }

    /// A device whose row says what no request could have said.
    async fn plant(&self, key: u8, name: &str, platform: &str) -> Device {
        let key = PublicKey([key; 32]);
        let asking = Asking {
            id: DeviceId::of(&key),
            key: Some(key),
            kind: What::Browser,
            account: Some(self.app.account.id.clone()),
            smartbox: None,
            person: None,
            name: name.into(),
            platform: platform.into(),
            address: name.into(),
            requested: Right::Own,
            user_code: code::hash(&format!(
                "BCDFGHJ{}",
                char::from(b"KLMNPQRSTVWXZ"[usize::from(key.0[0])])
            )),
            device_code: code::hash(name),
            nonce: name.into(),
        };
        self.app.access.device_asks(asking).await.unwrap().unwrap()
    }
}

async fn signed_in(world: &World, token: &str) -> String {
    let answer = world.ask(Method::GET, &format!("/?token={token}")).send().await.unwrap();
    cookie(&answer).unwrap()
}

/// As the page shows them.
fn digits(laptop: &Laptop, asked: &Value) -> String {
    code::comparison(Some(&dpop::public(&laptop.0)), asked["nonce"].as_str().unwrap())
}

#[tokio::test]
async fn a_device_is_approved_renamed_and_revoked_by_buttons() {
    let world = World::new().await;
    let session = world.sign_in().await;
    let text = world.admin(&session).await;
    assert!(text.contains("None asks.") && text.contains("a browser"), "{text}");
    let laptop = Laptop::new(1);
    let form = [("name", "ann's laptop"), ("platform", "linux"), ("scope", "own")];
    let (_, asked) = laptop.asks(&world, &form).await;
    let text = world.admin(&session).await;
    for shown in [
        "<bdi>ann&#39;s laptop</bdi>",
        "command line, <bdi>linux</bdi>",
        "from 127.0.0.1",
        "asks for <b>own</b>, ends in ",
        &digits(&laptop, &asked),
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(text.contains(r#"<option value="manage" selected>"#), "own is nobody's first thought");
    let id = laptop.id().to_string();
    let press = async |verb: &str, more: Form<'_>| {
        let form = [&[("verb", verb), ("device", id.as_str())], more].concat();
        let (status, to, text) = world.push(&session, ADMIN, &form).await;
        assert_eq!(status, 303, "{verb}: {text}");
        let (_, page) = world.page(&session, to.split('#').next().unwrap()).await;
        page
    };
    let shown = mark(&asked);
    let text = press("approve", &[("right", "chat"), ("ask", &shown)]).await;
    assert!(text.contains("It is let in.") && text.contains("may <b>chat</b>"), "{text}");
    assert!(
        text.contains("last decided just now by an owner&#39;s browser from 127.0.0.1"),
        "{text}"
    );
    let (status, token) = laptop.polls(&world, &asked).await;
    assert_eq!((status, &token["scope"]), (200, &json!("chat")));
    let token = token["access_token"].as_str().unwrap();
    let path = "/api/v1/boxes";
    assert_eq!(laptop.status(&world, Method::GET, path, token).await, 200);
    assert!(world.admin(&session).await.contains("seen just now"));
    // Whoever was too slow changes nothing.
    let text = press("reject", &[]).await;
    assert!(text.contains("decided already") && text.contains("may <b>chat</b>"), "{text}");
    let text = press("rename", &[("name", " the old one ")]).await;
    assert!(text.contains("<bdi>the old one</bdi>"), "{text}");
    let text = press("revoke", &[]).await;
    assert!(text.contains("Not let in, or not any more (1)"), "{text}");
    assert_eq!(laptop.status(&world, Method::GET, path, token).await, 401);
    let text = press("revoke", &[]).await;
    assert!(text.contains("decided already"), "{text}");
    // Who is told no hears it.
    let (_, asked) = laptop.asks(&world, &[]).await;
    press("reject", &[]).await;
    assert_eq!(laptop.polls(&world, &asked).await.1["error"], json!("access_denied"));
    let acts = world.acts(&world.app.account.id).await;
    let acts: Vec<&str> = acts.iter().map(|entry| entry.act.action.as_str()).collect();
    for act in ["device.approve", "device.rename", "device.revoke", "device.reject"] {
        assert_eq!(acts.iter().filter(|found| **found == act).count(), 1, "{act} in {acts:?}");
    }
}

/// The attack: it asks for little, and for all while somebody looks at that.
#[tokio::test]
async fn a_button_lets_in_what_the_page_showed() {
    let world = World::new().await;
    let (session, laptop) = (world.sign_in().await, Laptop::new(1));
    let (_, asked) = laptop.asks(&world, &[("scope", "read")]).await;
    let (id, before) = (laptop.id().to_string(), mark(&asked));
    let code = asked["user_code"].as_str().unwrap();
    let field = |ask: &str| format!(r#"<input type="hidden" name="ask" value="{ask}">"#);
    assert!(world.admin(&session).await.contains(&field(&before)));
    let find = [("verb", "find"), ("code", code)];
    assert!(world.push(&session, DEVICE, &find).await.2.contains(&field(&before)));
    let (_, asked) = laptop.asks(&world, &[("scope", "own")]).await;
    let approve = [("verb", "approve"), ("device", id.as_str()), ("right", "read")];
    let stale = [&approve[..], &[("ask", before.as_str())]].concat();
    for form in [&stale[..], &approve] {
        let (status, to, _) = world.push(&session, ADMIN, form).await;
        assert_eq!((status, to.as_str()), (303, "/_admin/?done=another#devices"));
        let same = [form, &[("same", "yes")]].concat();
        let (status, to, _) = world.push(&session, DEVICE, &same).await;
        assert_eq!((status, to.as_str()), (303, "/device?done=another"));
        assert!(world.page(&session, &to).await.1.contains("It has asked anew"));
    }
    assert_eq!(world.device(&laptop.id()).await.state, State::Pending);
    let now = mark(&asked);
    let fresh = [&approve[..], &[("ask", now.as_str())]].concat();
    assert_eq!(world.push(&session, ADMIN, &fresh).await.1, "/_admin/?done=approve#devices");
    assert_eq!(world.device(&laptop.id()).await.granted, Some(Right::Read));
}

#[tokio::test]
async fn all_that_ask_are_approved_together_and_none_gets_everything() {
    let world = World::new().await;
    let session = world.sign_in().await;
    let all = [("verb", "all")];
    let (status, to, _) = world.push(&session, ADMIN, &all).await;
    assert_eq!((status, to.as_str()), (303, "/_admin/?done=none#devices"));
    for (key, right) in [(1, "own"), (2, "read")] {
        Laptop::new(key).asks(&world, &[("scope", right)]).await;
    }
    let (_, text) = world.page(&session, "/boxes").await;
    assert!(text.contains("/_admin/#devices") && text.contains("2 waiting"), "{text}");
    let (_, to, _) = world.push(&session, ADMIN, &all).await;
    assert_eq!(to, "/_admin/?done=all#devices");
    for (key, right) in [(1, Right::Manage), (2, Right::Read)] {
        assert_eq!(world.device(&Laptop::new(key).id()).await.granted, Some(right));
    }
    let (_, text) = world.page(&session, "/boxes").await;
    assert!(text.contains("/_admin/#devices") && !text.contains("waiting"), "{text}");
}

#[tokio::test]
async fn nobody_gives_more_than_they_have_and_who_has_little_decides_nothing() {
    let world = World::new().await;
    let (me, laptop) = (world.me(), Laptop::new(1));
    let (_, asked) = laptop.asks(&world, &[("scope", "own")]).await;
    let (id, shown) = (laptop.id().to_string(), asked["user_code"].as_str().unwrap());
    let ask = mark(&asked);
    let approve =
        [("verb", "approve"), ("device", id.as_str()), ("right", "own"), ("ask", ask.as_str())];
    let same = [&approve[..], &[("same", "yes")]].concat();
    let viewer = Guest::new(&world, &me, Some(Role::Viewer), None).await.cookie;
    let pa = world.pa().await;
    let guest = Guest::new(&world, &me, None, Some((&pa, Right::Manage))).await.cookie;
    for session in [&viewer, &guest] {
        for path in [ADMIN, DEVICE] {
            let (status, text) = world.page(session, path).await;
            assert!(status == 403 && !text.contains(&id), "{path}: {text}");
        }
        let forms: [(&str, Form<'_>); 8] = [
            (ADMIN, &approve),
            (ADMIN, &[("verb", "reject"), ("device", &id)]),
            (ADMIN, &[("verb", "revoke"), ("device", &id)]),
            (ADMIN, &[("verb", "rename"), ("device", &id), ("name", "x")]),
            (ADMIN, &[("verb", "all")]),
            (DEVICE, &same),
            (DEVICE, &[("verb", "reject"), ("device", &id)]),
            (DEVICE, &[("verb", "find"), ("code", shown)]),
        ];
        for (path, form) in forms {
            let (status, _, text) = world.push(session, path, form).await;
            assert_eq!(status, 403, "{path} {form:?}: {text}");
        }
        let (_, text) = world.page(session, "/boxes").await;
        assert!(!text.contains("/_admin/"), "{text}");
    }
    // A token of one box has nothing to do with who comes in to all of them.
    let bound = Tenant::token(&world, &me.account, Right::Own, Some(pa.id.clone())).await;
    for (path, form) in [(ADMIN, &approve[..]), (DEVICE, &same)] {
        let look = world.ask(Method::GET, path).bearer_auth(&bound).send().await.unwrap();
        assert_eq!(look.status(), 403, "{path}");
        let act = world.ask(Method::POST, path).bearer_auth(&bound).form(form);
        assert_eq!(act.send().await.unwrap().status(), 403, "{path}");
    }
    // A member may much, and no more.
    let member = Guest::new(&world, &me, Some(Role::Member), None).await.cookie;
    let text = world.admin(&member).await;
    assert!(text.contains(&id) && !text.contains(r#"value="own""#), "{text}");
    assert_eq!(world.push(&member, ADMIN, &approve).await.0, 403);
    assert_eq!(world.push(&member, DEVICE, &same).await.0, 403);
    assert_eq!(world.device(&laptop.id()).await.state, State::Pending);
    // Nor does anybody give more than was asked for.
    let other = Laptop::new(2);
    let (_, asked) = other.asks(&world, &[("scope", "read")]).await;
    let (id, ask) = (other.id().to_string(), mark(&asked));
    let more =
        [("verb", "approve"), ("device", id.as_str()), ("right", "chat"), ("ask", ask.as_str())];
    assert_eq!(world.push(&world.sign_in().await, ADMIN, &more).await.0, 403);
}

#[tokio::test]
async fn another_accounts_devices_are_not_there_on_any_form() {
    let world = World::new().await;
    let (ann, bob) = (Tenant::new(&world, "ann").await, Tenant::new(&world, "bob").await);
    let laptop = Laptop::new(1);
    let (_, asked) = laptop.asks(&world, &[("account", "ann"), ("name", "of-ann")]).await;
    let (id, shown) = (laptop.id().to_string(), asked["user_code"].as_str().unwrap());
    let his = signed_in(&world, &bob.token).await;
    let text = world.admin(&his).await;
    assert!(!text.contains("of-ann") && !text.contains(&id), "{text}");
    let nobody = "0".repeat(64);
    for verb in ["approve", "reject", "revoke", "rename"] {
        let form = |id| vec![("verb", verb), ("device", id), ("name", "mine")];
        let (status, _, theirs) = world.push(&his, ADMIN, &form(&id)).await;
        let (none, _, missing) = world.push(&his, ADMIN, &form(&nobody)).await;
        assert_eq!((status, none), (404, 404), "{verb}");
        let plain = |text: &str| text.split(" · request").next().unwrap().to_owned();
        assert_eq!(plain(&theirs), plain(&missing), "{verb}");
    }
    for verb in ["approve", "reject"] {
        let form = [("verb", verb), ("device", id.as_str()), ("same", "yes")];
        assert_eq!(world.push(&his, DEVICE, &form).await.0, 404, "{verb}");
    }
    let (status, _, text) = world.push(&his, DEVICE, &[("verb", "find"), ("code", shown)]).await;
    assert!(status == 404 && !text.contains("of-ann"), "{text}");
    assert!(text.contains("No device shows that code"), "{text}");
    world.push(&his, ADMIN, &[("verb", "all")]).await;
    // Nor by saying whose it is.
    for named in ["ann", ann.account.id.as_str(), "bob", "nobody"] {
        for path in [ADMIN, DEVICE] {
            let (status, text) = world.page(&his, &format!("{path}?account={named}")).await;
            assert!(status == 403 && !text.contains("of-ann"), "{path} {named}: {text}");
        }
        let form = [("verb", "all"), ("account", named)];
        assert_eq!(world.push(&his, ADMIN, &form).await.0, 403, "{named}");
        let form = [("verb", "find"), ("code", shown), ("account", named)];
        assert_eq!(world.push(&his, DEVICE, &form).await.0, 403, "{named}");
    }
    assert_eq!(world.device(&laptop.id()).await.state, State::Pending);
    let hers = signed_in(&world, &ann.token).await;
    assert!(world.admin(&hers).await.contains("of-ann"));
}

#[tokio::test]
async fn who_manages_sees_devices_and_nothing_of_the_installation() {
    let told = "a-note-about-sign-in";
    let sign_in = SignIn { notes: vec![told.into()], ..SignIn::none(&SystemEntropy) };
    let world = World::vouched(async |_| sign_in).await;
    let (me, ann) = (world.me(), Tenant::new(&world, "ann").await);
    let text = world.admin(&world.sign_in().await).await;
    for shown in [told, "Cloudflare Access: off", "Snapshots are kept on this machine alone"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(text.contains("R2_ACCESS_KEY_ID") && !text.contains("Account to look after"), "{text}");
    let member = Guest::new(&world, &me, Some(Role::Member), None).await.cookie;
    let other = signed_in(&world, &ann.token).await;
    for session in [member, other] {
        let text = world.admin(&session).await;
        assert!(text.contains("Devices that ask"), "{text}");
        for hidden in [told, "Access", "OpenID", "Snapshots", "Grants", "Account to look", "ann<"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
    }
}

#[tokio::test]
async fn an_operator_looks_after_an_account_and_it_stands_in_its_audit() {
    let world = World::new().await;
    let ann = Tenant::new(&world, "ann").await;
    let (laptop, rejected) = (Laptop::new(1), Laptop::new(2));
    let (_, asked) =
        laptop.asks(&world, &[("account", "ann"), ("name", "of-ann"), ("scope", "own")]).await;
    rejected.asks(&world, &[("account", "ann")]).await;
    let (person, olga) = world.operator(Right::Manage).await;
    // Of no account anything is theirs by itself.
    let text = world.admin(&olga).await;
    assert!(text.contains(r#"<option value="ann">"#) && !text.contains("of-ann"), "{text}");
    assert!(!text.contains("Cloudflare"), "who only manages does not run it: {text}");
    let (status, text) = world.page(&olga, "/_admin/?account=ann").await;
    assert!(status == 200 && text.contains("of-ann"), "{text}");
    assert!(text.contains(r#"name="account" value="ann""#) && !text.contains(r#"value="own""#));
    assert_eq!(world.page(&olga, "/_admin/?account=nobody").await.0, 404);
    let (id, no) = (laptop.id().to_string(), rejected.id().to_string());
    let ask = asks_by(&world, &laptop.id()).await;
    // Without saying whose, they mean none of hers.
    let form =
        [("verb", "approve"), ("device", id.as_str()), ("right", "manage"), ("ask", ask.as_str())];
    assert_eq!(world.push(&olga, ADMIN, &form).await.0, 403);
    let form = [&form[..], &[("account", "ann")]].concat();
    let (status, to, _) = world.push(&olga, ADMIN, &form).await;
    assert_eq!((status, to.as_str()), (303, "/_admin/?account=ann&done=approve#devices"));
    let shown = [("verb", "reject"), ("device", no.as_str()), ("account", "ann")];
    let (_, to, _) = world.push(&olga, DEVICE, &shown).await;
    assert_eq!(to, "/device?account=ann&done=reject");
    let by = format!("person:{person} from 127.0.0.1");
    let acts = world.acts(&ann.account.id).await;
    for act in ["device.approve", "device.reject"] {
        let found = acts.iter().find(|entry| entry.act.action == act).unwrap();
        assert_eq!(found.act.actor, by, "{act}");
    }
    let own = world.acts(&world.app.account.id).await;
    assert!(!own.iter().any(|entry| entry.act.action.starts_with("device.")));
    // It is the account's device, and not the operator's: it may what it was given.
    let (_, token) = laptop.polls(&world, &asked).await;
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(laptop.status(&world, Method::GET, "/api/v1/devices", token).await, 200);
    // Ann sees that somebody did, and learns no name of who runs the installation.
    let text = world.admin(&signed_in(&world, &ann.token).await).await;
    assert!(text.contains("by somebody who is not in the account") && !text.contains("Olga"));
    // Who only looks does not look after.
    let (_, looks) = world.operator(Right::Read).await;
    for path in [ADMIN, "/_admin/?account=ann", "/device?account=ann"] {
        assert_eq!(world.page(&looks, path).await.0, 403, "{path}");
    }
    assert_eq!(world.push(&looks, ADMIN, &form).await.0, 403);
}

#[tokio::test]
async fn only_our_own_pages_press_buttons_about_devices() {
    let world = World::new().await;
    let (session, laptop) = (world.sign_in().await, Laptop::new(1));
    let (_, asked) = laptop.asks(&world, &[("scope", "own")]).await;
    let (id, shown) = (laptop.id().to_string(), asked["user_code"].as_str().unwrap());
    let page = format!("http://pa.localhost:{}", world.port);
    let all = [("verb", "all")];
    let forms: [(&str, Form<'_>); 3] = [
        (ADMIN, &[("verb", "approve"), ("device", &id)]),
        (ADMIN, &all),
        (DEVICE, &[("verb", "approve"), ("device", &id), ("same", "yes")]),
    ];
    for (path, form) in forms {
        let ask = || world.ask(Method::POST, path).header("cookie", &session).form(form);
        for origin in ["http://evil.example", page.as_str(), "null"] {
            let answer = ask().header("origin", origin).send().await.unwrap();
            assert_eq!(answer.status(), 403, "{path} {origin}");
        }
        assert_eq!(ask().send().await.unwrap().status(), 403, "{path}: nobody says from where");
        for site in ["cross-site", "same-site", "none"] {
            let answer = ask().header("origin", world.origin()).header("sec-fetch-site", site);
            assert_eq!(answer.send().await.unwrap().status(), 403, "{path} {site}");
        }
        // Under a name that another site made lead here, and on a box's own host.
        let rebound = format!("http://evil.example:{}", world.port);
        let answer = ask().header("host", &rebound[7..]).header("origin", &rebound);
        assert_eq!(answer.send().await.unwrap().status(), 421, "{path}");
        let at_box = world.to_box(Method::POST, "pa", path).header("cookie", &session);
        let answer = at_box.header("origin", &page).form(form).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{path}: {}", answer.status());
        // And without a session.
        let nobody = world.ask(Method::POST, path).header("origin", world.origin()).form(form);
        assert_eq!(nobody.send().await.unwrap().status(), 401, "{path}");
    }
    for path in [
        format!("/_admin/?verb=approve&device={id}"),
        format!("/device?verb=approve&device={id}&same=yes&code={shown}"),
        "/_admin/?verb=all".into(),
    ] {
        assert_eq!(world.page(&session, &path).await.0, 200, "{path}");
    }
    assert_eq!(world.device(&laptop.id()).await.state, State::Pending);
}

#[tokio::test]
async fn a_form_about_devices_that_says_nothing_or_too_much_is_refused() {
    let world = World::new().await;
    let (session, laptop) = (world.sign_in().await, Laptop::new(1));
    laptop.asks(&world, &[("scope", "own")]).await;
    let id = laptop.id().to_string();
    let forms: [(&str, Form<'_>); 9] = [
        (ADMIN, &[]),
        (ADMIN, &[("verb", "approve")]),
        (ADMIN, &[("verb", "approve"), ("device", "../x")]),
        (ADMIN, &[("verb", "approve"), ("device", &id), ("right", "root")]),
        (ADMIN, &[("verb", "rename"), ("device", &id)]),
        (ADMIN, &[("verb", "rename"), ("device", &id), ("name", "a\u{202e}b")]),
        (ADMIN, &[("verb", "approve"), ("device", &id), ("other", "x")]),
        (DEVICE, &[("verb", "revoke"), ("device", &id)]),
        (DEVICE, &[("verb", "find"), ("code", "BCDF")]),
    ];
    for (path, form) in forms {
        let (status, _, text) = world.push(&session, path, form).await;
        assert!((400..500).contains(&status), "{form:?}: {status} {text}");
    }
    assert_eq!(world.device(&laptop.id()).await.state, State::Pending);
}

#[tokio::test]
async fn what_a_device_calls_itself_is_text_that_stays_in_its_place() {
    let world = World::new().await;
    let session = world.sign_in().await;
    let hostile = [
        "<script>alert(1)</script>",
        "\"><button name=verb value=all>Yes",
        "' autofocus onfocus='x",
        "{{name}}{% raw %}",
        "\u{202e}\u{2066}gnp.laptop\u{200b}\u{61c}\u{2028}",
    ];
    for (n, name) in hostile.iter().enumerate() {
        let planted = world.plant(u8::try_from(n).unwrap(), name, name).await;
        assert_eq!(planted.name, *name, "the row says it as it is");
    }
    let long = "\u{1d54f}x".repeat(5_000);
    let by = Caller::owner(world.app.account.id.clone(), "<i>by</i>".into());
    let planted = world.plant(9, &long, &long).await;
    let let_in = smartbox_server::access::Decision::Approve { right: None, ask: None };
    world.app.access.decide(&by, Right::Own, planted.id, let_in).await.unwrap().unwrap().unwrap();
    let admin = world.admin(&session).await;
    let form = [("verb", "find"), ("code", "BCDF-GHJK")];
    let (status, _, found) = world.push(&session, DEVICE, &form).await;
    assert!(status == 200 && found.contains("Is this yours?"), "{found}");
    for text in [&admin, &found] {
        for raw in
            ["<script>alert", "\"><button name=verb", "' autofocus", "<i>", "\u{202e}", "\u{2066}"]
        {
            assert!(!text.contains(raw), "{raw} in {text}");
        }
        for raw in ['\u{200b}', '\u{61c}', '\u{2028}'] {
            assert!(!text.contains(raw), "{raw:?} in {text}");
        }
    }
    assert!(admin.contains("{{name}}{% raw %}"), "rendered once, not twice: {admin}");
    assert!(admin.contains("<bdi>gnp.laptop</bdi>"), "{admin}");
    assert!(admin.len() < 40_000, "{} characters", admin.len());
    assert_eq!(admin.matches(r#"value="all""#).count(), 1, "one button for all, and it is ours");
}

#[tokio::test]
async fn the_code_of_a_device_leads_to_it_and_to_a_comparison() {
    let world = World::new().await;
    let laptop = Laptop::new(1);
    let form = [("name", "my laptop"), ("platform", "linux"), ("scope", "manage")];
    let (_, asked) = laptop.asks(&world, &form).await;
    let shown = asked["user_code"].as_str().unwrap();
    // Signed out: the code is not lost on the way.
    let link = format!("{DEVICE}?code={shown}");
    let (status, text) = world.page("", &link).await;
    let next = format!("name=\"next\" value=\"{link}\"");
    assert!(status == 401 && text.contains(&next) && !text.contains("my laptop"), "{text}");
    let (_, text) = world.page("", "/device?code=%22%3E%3Cscript%3E").await;
    assert!(text.contains(r#"name="next" value="/device""#), "{text}");
    for (next, want) in [
        (link.as_str(), link.as_str()),
        ("/device?code=x&next=//evil.example", "/"),
        ("/device?code=//evil.example", "/"),
        ("/device\\\\evil.example", "/"),
        ("//evil.example/device", "/"),
        ("/device?code=a\r\nset-cookie: x=y", "/"),
    ] {
        let form = [("token", world.token.as_str()), ("next", next)];
        let (status, to, _) = world.push("", "/login", &form).await;
        assert_eq!((status, to), (303, by_its_key(want)), "{next}");
    }
    let session = world.sign_in().await;
    // A link shows a code, and looks for nothing.
    let (status, text) = world.page(&session, &link).await;
    assert!(status == 200 && text.contains(&format!("value=\"{shown}\"")), "{text}");
    assert!(!text.contains("my laptop") && !text.contains("approve"), "{text}");
    let typed = shown.to_lowercase().replace('-', " ");
    let (status, _, text) =
        world.push(&session, DEVICE, &[("verb", "find"), ("code", &typed)]).await;
    assert_eq!(status, 200);
    for said in ["my laptop", "linux", "127.0.0.1", "manage", &digits(&laptop, &asked)] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(text.contains("Did somebody send you this link or code?"), "{text}");
    let id = laptop.id().to_string();
    assert!(text.contains(&id) && text.contains(r#"name="same" value="yes" required"#), "{text}");
    // Who did not look does not let in.
    let approve = [("verb", "approve"), ("device", id.as_str()), ("right", "chat")];
    assert_eq!(world.push(&session, DEVICE, &approve).await.0, 400);
    assert_eq!(world.device(&laptop.id()).await.state, State::Pending);
    let ask = mark(&asked);
    assert!(text.contains(&format!(r#"name="ask" value="{ask}""#)), "{text}");
    let approve = [&approve[..], &[("same", "yes")]].concat();
    assert_eq!(world.push(&session, DEVICE, &approve).await.1, "/device?done=another");
    assert_eq!(world.device(&laptop.id()).await.state, State::Pending);
    let approve = [&approve[..], &[("ask", ask.as_str())]].concat();
    let (status, to, _) = world.push(&session, DEVICE, &approve).await;
    assert_eq!((status, to.as_str()), (303, "/device?done=approve"));
    assert!(world.page(&session, &to).await.1.contains("it goes on by itself"));
    assert_eq!(world.push(&session, DEVICE, &approve).await.1, "/device?done=late");
    assert_eq!(laptop.polls(&world, &asked).await.1["scope"], json!("chat"));
    // What was decided shows its code to nobody.
    let again = world.push(&session, DEVICE, &[("verb", "find"), ("code", shown)]).await;
    assert_eq!(again.0, 404);
}

#[tokio::test]
async fn guessing_codes_on_the_page_takes_longer_and_a_link_guesses_nothing() {
    let minutes = Duration::from_mins(10);
    let patience = Patience { free: 4, first: minutes, most: minutes, forget: minutes };
    let world = crate::limits::world(Rates::NONE.patient(patience)).await;
    let session = world.sign_in().await;
    // Whatever other sites lead a signed-in browser to.
    for _ in 0..20 {
        assert_eq!(world.page(&session, "/device?code=BBBB-BBBB").await.0, 200);
    }
    let find =
        async |code: &str| world.push(&session, DEVICE, &[("verb", "find"), ("code", code)]).await;
    for n in 0..5 {
        let (status, _, text) = find("BBBB-BBBB").await;
        assert!(status == 404 && text.contains("No device shows that code"), "{n}: {text}");
    }
    let (_, asked) = Laptop::new(1).asks(&world, &[]).await;
    assert_eq!(find(asked["user_code"].as_str().unwrap()).await.0, 429, "even the right one");
    // The list of those that wait is another thing, and nobody else waits.
    world.admin(&session).await;
    let other = world.sign_in().await;
    let right = [("verb", "find"), ("code", asked["user_code"].as_str().unwrap())];
    assert_eq!(world.push(&other, DEVICE, &right).await.0, 200);
}
