//! What a browser says that it is: a name for people, no more. Nothing is decided by it.

use http::HeaderMap;
use http::header::USER_AGENT;
use http::request::Parts;

use crate::access::Newcomer;
use crate::http::principal::address;

/// By what each is known, those before others that pass for them.
const BROWSERS: [(&str, &str); 9] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chromium"),
    ("Safari/", "Safari"),
];
const PLATFORMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// The browser that made this request, whose person signs in by this.
pub(in crate::http::page) fn of(parts: &Parts, by: &'static str) -> Newcomer {
    let (browser, platform) = named(&parts.headers);
    let name = match platform {
        "unknown" => browser.to_owned(),
        platform => format!("{browser} on {platform}"),
    };
    let address = address(parts).map_or_else(|| "this machine".to_owned(), |ip| ip.to_string());
    Newcomer { name, platform: platform.to_owned(), address, by }
}

fn named(headers: &HeaderMap) -> (&'static str, &'static str) {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let agent = text(USER_AGENT.as_str());
    let first = |of: &[(&str, &'static str)], otherwise| {
        of.iter().find(|(mark, _)| agent.contains(mark)).map_or(otherwise, |(_, name)| *name)
    };
    let browser = match first(&BROWSERS, "a browser") {
        "Chromium" if text("sec-ch-ua").contains("Google Chrome") => "Chrome",
        browser => browser,
    };
    (browser, first(&PLATFORMS, "unknown"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_called_as_people_call_them() {
        let linux = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) ";
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 ";
        let brand = "\"Google Chrome\";v=\"156\"";
        for (agent, hint, want) in [
            (format!("{linux}Chrome/156.0.0.0 Safari/537.36"), "", ("Chromium", "Linux")),
            (format!("{linux}Chrome/156.0.0.0 Safari/537.36"), brand, ("Chrome", "Linux")),
            (format!("{linux}HeadlessChrome/156.0 Safari/537.36"), "", ("Chromium", "Linux")),
            (format!("{linux}Chrome/156.0 Safari/537.36 Edg/156.0"), "", ("Edge", "Linux")),
            (format!("{phone}Version/19.0 Mobile/15E148 Safari/604.1"), "", ("Safari", "iPhone")),
            (
                "Mozilla/5.0 (Android 16; Mobile; rv:150.0) Firefox/150.0".into(),
                "",
                ("Firefox", "Android"),
            ),
            ("curl/8.0".into(), "", ("a browser", "unknown")),
            ("<script>alert(1)</script>".into(), "", ("a browser", "unknown")),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(USER_AGENT, agent.parse().unwrap());
            headers.insert("sec-ch-ua", hint.parse().unwrap());
            assert_eq!(named(&headers), want, "{agent}");
        }
    }
}
