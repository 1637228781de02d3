//! Which host a request is for, and which box that is. No defaults and no guesses: a request that
//! names two hosts is refused.

use http::header::HOST;
use http::request::Parts;

/// The host that a request names, port included, as it was written.
///
/// HTTP/2 and the absolute form name it in the target, HTTP/1.1 in `Host`; where both do they must
/// agree (RFC 9112 §3.2). `None`: no host, several, different ones, or one that is no text.
pub(crate) fn of(parts: &Parts) -> Option<&str> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let first = hosts.next();
    if hosts.next().is_some() {
        return None;
    }
    let header = match first {
        Some(value) => Some(value.to_str().ok()?),
        None => None,
    };
    match (parts.uri.authority(), header) {
        (Some(authority), _) if authority.as_str().contains('@') => None,
        (Some(authority), Some(host)) => {
            authority.as_str().eq_ignore_ascii_case(host).then_some(host)
        }
        (Some(authority), None) => Some(authority.as_str()),
        (None, host) => host,
    }
}

/// The label in `host`, in lower case, if it is `<label>.<base>[:port]` for one of the bases.
pub(crate) fn label(host: &str, bases: &[String]) -> Option<String> {
    find(host, bases).map(str::to_ascii_lowercase)
}

/// The label as it is written.
pub(crate) fn find<'a>(host: &'a str, bases: &[String]) -> Option<&'a str> {
    let name = match host.split_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) => return None,
        None => host,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    bases.iter().find_map(|base| {
        let at = name.len().checked_sub(base.len())?;
        let (label, rest) = name.split_at_checked(at)?;
        let label = label.strip_suffix('.').filter(|_| rest.eq_ignore_ascii_case(base))?;
        let good = (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        good.then_some(label)
    })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn bases() -> Vec<String> {
        vec!["localhost".into(), "boxes.example.com".into()]
    }

    #[test]
    fn a_label_stands_directly_below_a_base() {
        for (host, label_) in [
            ("pa.localhost", Some("pa")),
            ("PA.Localhost:7777", Some("pa")),
            ("pa.localhost.:7777", Some("pa")),
            ("my-box.boxes.example.com", Some("my-box")),
            ("localhost:7777", None),
            ("a.b.localhost", None),
            (".localhost", None),
            ("xlocalhost", None),
            ("pa.localhost.evil.com", None),
            ("pa.localhost:7777:8", None),
            ("pa.localhost:80@evil", None),
            ("pa/../x.localhost", None),
            ("127.0.0.1:7777", None),
            ("[::1]:7777", None),
        ] {
            assert_eq!(label(host, &bases()).as_deref(), label_, "{host}");
        }
    }

    fn parts(uri: &str, hosts: &[&str]) -> Parts {
        let mut builder = Request::builder().uri(uri);
        for host in hosts {
            builder = builder.header(HOST, *host);
        }
        builder.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_request_names_one_host() {
        assert_eq!(of(&parts("/", &["a.localhost"])), Some("a.localhost"));
        assert_eq!(of(&parts("http://a.localhost/", &[])), Some("a.localhost"));
        assert_eq!(of(&parts("http://a.localhost/", &["A.localhost"])), Some("A.localhost"));
        assert_eq!(of(&parts("http://a.localhost/", &["b.localhost"])), None);
        assert_eq!(of(&parts("http://u@a.localhost/", &[])), None);
        assert_eq!(of(&parts("/", &["a.localhost", "a.localhost"])), None);
        assert_eq!(of(&parts("/", &[])), None);
    }
}
