//! Forms that let somebody in, pressed by a browser that has a key, and by somebody who has no more than its
//! cookie.

use smartbox_api::dpop;
use smartbox_core::device::State;
use smartbox_core::person::Right;

use crate::browsers::{Browser, Page};
use crate::device_pages::Form;
use crate::devices::{Laptop, asks_by};
use crate::world::World;

/// A form, and the page that it is on.
type Press<'a> = (&'a str, Vec<(&'a str, &'a str)>);

/// Every form that lets in the device with this id.
fn presses((id, ask): &(String, String)) -> [Press<'_>; 3] {
    let approve = vec![("verb", "approve"), ("device", id), ("ask", ask), ("right", "chat")];
    [
        ("/_admin/", approve.clone()),
        ("/_admin/", vec![("verb", "all")]),
        ("/device", [approve, vec![("same", "yes")]].concat()),
    ]
}

impl Browser {
    /// Presses the button without a proof: the page that asks for one.
    async fn asked(&self, world: &World, path: &str, form: Form<'_>) -> (Page, String) {
        let (status, to, text) = world.push(&self.cookie, path, form).await;
        assert_eq!((status, to.as_str()), (200, ""), "{path}: {text}");
        (Page::of(&text).unwrap_or_else(|| panic!("{path}: {text}")), text)
    }

    /// What its key says of what a page asks.
    fn proof(&self, world: &World, path: &str, page: &Page) -> String {
        dpop::sign(&self.key, &Self::claims(world, path, page))
    }

    async fn sends_signed(
        &self,
        world: &World,
        path: &str,
        form: Form<'_>,
        proof: &str,
    ) -> (u16, String) {
        let form = [form, &[("proof", proof)]].concat();
        let (status, to, _) = world.push(&self.cookie, path, &form).await;
        (status, to)
    }

    /// Presses it, and signs, as the page's script does.
    async fn presses(&self, world: &World, path: &str, form: Form<'_>) -> (u16, String) {
        let (page, _) = self.asked(world, path, form).await;
        self.sends_signed(world, path, form, &self.proof(world, path, &page)).await
    }
}

/// Which one it is, and what of it was shown.
async fn shown(world: &World, laptop: &Laptop) -> (String, String) {
    (laptop.id().to_string(), asks_by(world, &laptop.id()).await)
}

async fn waiting(world: &World, laptop: &Laptop) {
    assert_eq!(world.device(&laptop.id()).await.state, State::Pending);
}

#[tokio::test]
async fn a_stolen_cookie_lets_nobody_in_by_any_form() {
    let world = World::new().await;
    let browser = Browser::signs_in(&world, 1, &world.token).await;
    let thief = browser.thief(2);
    for (n, at) in (10..).zip(0..3) {
        let laptop = Laptop::new(n);
        laptop.asks(&world, &[("scope", "own")]).await;
        let one = shown(&world, &laptop).await;
        let (path, form) = presses(&one).into_iter().nth(at).unwrap();
        let (page, text) = thief.asked(&world, path, &form).await;
        for (name, value) in &form {
            let field = format!("name=\"{name}\" value=\"{value}\"");
            assert!(text.contains(&field), "the press is not lost: {field} in {text}");
        }
        assert!(text.contains("<noscript>") && text.contains("Allow scripts"), "{text}");
        waiting(&world, &laptop).await;
        let own = thief.proof(&world, path, &page);
        for proof in [own.as_str(), "x", "x.y.z"] {
            let (status, _) = thief.sends_signed(&world, path, &form, proof).await;
            assert_eq!(status, 401, "{path} {proof}");
        }
        waiting(&world, &laptop).await;
        let (status, to) = browser.presses(&world, path, &form).await;
        assert!(status == 303 && to.contains("?done="), "{path}: {to}");
        let right = if form.len() == 1 { Right::Manage } else { Right::Chat };
        assert_eq!(world.device(&laptop.id()).await.granted, Some(right), "{path}");
    }
    // What lets nobody in needs no more than the cookie, as before.
    let laptop = Laptop::new(20);
    laptop.asks(&world, &[]).await;
    let id = laptop.id().to_string();
    let reject = [("verb", "reject"), ("device", id.as_str())];
    assert_eq!(world.push(&browser.cookie, "/device", &reject).await.0, 303);
    assert_eq!(world.device(&laptop.id()).await.state, State::Rejected);
}

#[tokio::test]
async fn a_proof_is_good_once_and_for_its_own_form() {
    let world = World::new().await;
    let browser = Browser::signs_in(&world, 1, &world.token).await;
    let thief = browser.thief(2);
    let all = [("verb", "all")];
    let (page, _) = browser.asked(&world, "/_admin/", &all).await;
    let proof = browser.proof(&world, "/_admin/", &page);
    let (status, to) = browser.sends_signed(&world, "/_admin/", &all, &proof).await;
    assert_eq!((status, to.as_str()), (303, "/_admin/?done=none#devices"));
    let laptops = [Laptop::new(10), Laptop::new(11)];
    for laptop in &laptops {
        laptop.asks(&world, &[("scope", "own")]).await;
    }
    let [one, two] = &laptops;
    let (one, two) = (shown(&world, one).await, shown(&world, two).await);
    let replayed = thief.sends_signed(&world, "/_admin/", &all, &proof).await;
    assert_eq!(replayed.0, 401, "it was here before");

    // Signed for one of them with `chat`, on the one page or the other.
    for (path, form) in presses(&one) {
        let (page, _) = browser.asked(&world, path, &form).await;
        let more = ["/_admin/", "/device"].map(|path| {
            let more = [("verb", "approve"), ("device", one.0.as_str()), ("right", "own")];
            (path, more.into_iter().chain((path == "/device").then_some(("same", "yes"))).collect())
        });
        let others = presses(&two).into_iter().chain(presses(&one)).chain(more);
        for (other, changed) in others.filter(|other| *other != (path, form.clone())) {
            let proof = browser.proof(&world, path, &page);
            let (status, _) = thief.sends_signed(&world, other, &changed, &proof).await;
            assert_eq!(status, 401, "{path} {form:?} as {other} {changed:?}");
        }
        // Nor is what was signed to open a box, or to be known again, good for a form.
        for elsewhere in ["/open/pa", "/browser"] {
            let page = browser.page(&world, elsewhere).await;
            for address in [elsewhere, path] {
                let proof = browser.proof(&world, address, &page);
                let (status, _) = thief.sends_signed(&world, path, &form, &proof).await;
                assert_eq!(status, 401, "{elsewhere} for {path}");
            }
        }
    }
    for laptop in &laptops {
        waiting(&world, laptop).await;
    }
}

#[tokio::test]
async fn a_press_whose_page_is_over_is_signed_anew() {
    let world = World::new().await;
    let browser = Browser::signs_in(&world, 1, &world.token).await;
    let laptop = Laptop::new(10);
    laptop.asks(&world, &[]).await;
    let one = shown(&world, &laptop).await;
    for (path, form) in presses(&one) {
        let (page, _) = browser.asked(&world, path, &form).await;
        for over in [
            Page { nonce: "of another process".into(), ..page.clone() },
            Page { now: page.now - 600_000, ..page.clone() },
        ] {
            let proof = browser.proof(&world, path, &over);
            let form = [&form[..], &[("proof", proof.as_str())]].concat();
            let (again, _) = browser.asked(&world, path, &form).await;
            assert_ne!(again.nonce, over.nonce);
        }
        waiting(&world, &laptop).await;
    }
    // What stands in a form stays text in the page that has it signed.
    let form = [("verb", "approve"), ("device", "\"><script>alert(1)</script>")];
    let (_, text) = browser.asked(&world, "/_admin/", &form).await;
    assert!(!text.contains("<script>alert"), "{text}");
}

#[tokio::test]
async fn who_holds_another_key_than_the_session_is_offered_its_end() {
    let world = World::new().await;
    let browser = Browser::signs_in(&world, 1, &world.token).await;
    let other = browser.thief(2);
    let page = other.page(&world, "/browser").await;
    let proof = other.proof(&world, "/browser", &page);
    let (status, _, text) =
        world.push(&other.cookie, "/browser", &[("proof", proof.as_str())]).await;
    assert_eq!(status, 401);
    for said in ["<p>This is not the browser", ">Reload the platform", "action=\"/logout\""] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let (status, ..) = world.push(&other.cookie, "/logout", &[]).await;
    assert_eq!(status, 303);
    // Other problems have nothing to do with the session; a name stays as it is written.
    let session = world.sign_in().await;
    let (status, text) = world.page(&session, "/open/nothing").await;
    assert!(status == 404 && text.contains("<p>There is no such smartbox"), "{text}");
    assert!(!text.contains("/logout"), "{text}");
}
