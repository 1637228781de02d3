//! Who may come in by somebody else's word: whether the settings make sense, and whether those who vouch
//! can be asked.

use smartbox_server::config::sign_in::{AccessChoice, SignIn};

use super::check::Check;

pub(super) async fn checks(of: &SignIn) -> Vec<Check> {
    let mut checks = Vec::new();
    if let AccessChoice::Wrong { why } = &of.access {
        let hint = "set both CF_ACCESS_TEAM_DOMAIN and CF_ACCESS_AUD, or unset both; until then it \
                    signs nobody in";
        checks.push(Check::fail("Cloudflare Access", why.clone(), hint));
    }
    for (name, outcome) in smartbox_server::try_sign_in(of).await {
        checks.push(match outcome {
            Ok(what) => Check::ok(name, what),
            Err(why) => {
                let hint = "see whether the address is right and this machine reaches it; nobody \
                            signs in by it until then";
                Check::fail(name, why, hint)
            }
        });
    }
    let by_others = of.oidc.is_some() || matches!(of.access, AccessChoice::On(_));
    if by_others && of.rules.is_empty() {
        let what = "whoever signs in by another's word is given nothing";
        checks.push(Check::warn("grants", what, "write `[[sign_in.grants]]` into smartbox.toml"));
    }
    checks
}

#[cfg(test)]
mod tests {
    use smartbox_server::config::{Config, Env, Overrides};

    use super::*;
    use crate::cmd::doctor::check::Level;

    async fn found(text: &str, env: &Env) -> Vec<Check> {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::from_text(dir.path(), text, env, &Overrides::default()).unwrap();
        checks(&config.sign_in).await
    }

    #[tokio::test]
    async fn one_of_the_two_settings_of_access_names_the_other() {
        for (set, missing) in
            [("CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD"), ("CF_ACCESS_AUD", "CF_ACCESS_TEAM_DOMAIN")]
        {
            let found = found("", &Env::of([(set, "value")])).await;
            assert_eq!((found.len(), found[0].level), (1, Level::Fail), "{found:?}");
            let told = format!("{set} is set, and {missing} ");
            assert!(found[0].what.starts_with(&told), "{found:?}");
        }
        let env = Env::of([("CF_ACCESS_TEAM_DOMAIN", "a.example.com"), ("CF_ACCESS_AUD", "abc")]);
        let wrong = found("", &env).await;
        assert!(wrong[0].what.starts_with("CF_ACCESS_TEAM_DOMAIN is not a team"), "{wrong:?}");
        assert!(found("", &Env::default()).await.is_empty(), "nobody asked for it");
    }

    #[tokio::test]
    async fn a_provider_that_is_away_is_told_with_its_address() {
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", gone.local_addr().unwrap());
        drop(gone);
        let text = format!("[sign_in.oidc]\nissuer = \"{issuer}\"\nclient_id = \"smartbox\"\n");
        let found = found(&text, &Env::default()).await;
        assert_eq!(found.iter().map(|c| c.level).collect::<Vec<_>>(), [Level::Fail, Level::Warn]);
        assert!(found[0].what.contains(&issuer) && found[1].name == "grants", "{found:?}");
    }
}
