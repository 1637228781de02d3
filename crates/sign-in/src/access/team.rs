//! A team's name, however it is spelled.

use reqwest::Url;

use crate::setting::{BadSetting, shown};

const DOMAIN: &str = ".cloudflareaccess.com";

/// A team of Cloudflare Access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    url: Url,
    issuer: String,
}

impl Team {
    /// Reads `myteam`, `myteam.cloudflareaccess.com` or `https://myteam.cloudflareaccess.com/`.
    pub fn parse(text: &str) -> Result<Self, BadSetting> {
        let bad = || {
            let why = format!(
                "is not a team of Cloudflare Access: `{}`; it looks like myteam.cloudflareaccess.com",
                shown(text)
            );
            BadSetting::new("team_domain", why)
        };
        let name = text.trim().to_ascii_lowercase();
        if name.is_empty() {
            let why = "is empty: it looks like myteam.cloudflareaccess.com";
            return Err(BadSetting::new("team_domain", why));
        }
        let name = name.strip_prefix("https://").unwrap_or(&name);
        let name = name.strip_suffix('/').unwrap_or(name);
        let name = name.strip_suffix(DOMAIN).unwrap_or(name);
        let good = (1..=63).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-');
        if !good {
            return Err(bad());
        }
        let issuer = format!("https://{name}{DOMAIN}");
        let url = issuer.parse().map_err(|_| bad())?;
        Ok(Self { url, issuer })
    }

    /// What its tokens say in `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its address.
    pub fn url(&self) -> Url {
        self.url.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_team_is_spelled_in_several_ways() {
        for text in [
            "myteam",
            " MyTeam ",
            "myteam.cloudflareaccess.com",
            "https://myteam.cloudflareaccess.com",
            "https://myteam.cloudflareaccess.com/",
        ] {
            let team = Team::parse(text).unwrap();
            assert_eq!(team.issuer(), "https://myteam.cloudflareaccess.com", "{text}");
        }
    }

    #[test]
    fn what_is_no_team_is_told_by_its_setting() {
        for text in [
            "",
            " ",
            "http://myteam.cloudflareaccess.com",
            "myteam.example.com",
            "a.b.cloudflareaccess.com",
            "myteam.cloudflareaccess.com.evil.example",
            "evil.example/myteam.cloudflareaccess.com",
            "https://me@myteam.cloudflareaccess.com",
            "my team",
            "-myteam",
            "myteam.cloudflareaccess.com/cdn-cgi",
            "myteam\u{0}",
        ] {
            let told = Team::parse(text).unwrap_err();
            assert_eq!(told.setting, "team_domain", "{text}");
            assert!(told.to_string().contains("myteam.cloudflareaccess.com"), "{told}");
        }
    }
}
