//! The address of a git repository that a box clones.

use crate::egress::{BadHost, Host};

/// The longest address.
const LONGEST: usize = 2_000;

/// An address that git can clone from over a network, by HTTPS or SSH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The address as it was given.
    pub url: String,
    /// The host that it is on.
    pub host: Host,
    /// The port there.
    pub port: u16,
    /// The folder that it goes into: the last part of its path.
    pub folder: String,
}

/// This is no address of a repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRepository {
    /// Another scheme, a path of this machine, or nothing.
    #[error("a repository is cloned by https://… or ssh://…, or git@host:path")]
    Scheme,
    /// A password or token in it.
    #[error("an address with a password in it would be kept and shown; leave it out")]
    Password,
    /// The host.
    #[error(transparent)]
    Host(#[from] BadHost),
    /// The path.
    #[error("the path of a repository ends with its name, in letters, digits and -._")]
    Path,
}

impl Repository {
    /// Reads an address (git-clone(1), "Git URLs").
    pub fn parse(url: &str) -> Result<Self, BadRepository> {
        let plain = |c: char| c.is_ascii_graphic() && !"\"'`\\<>".contains(c);
        if url.len() > LONGEST || !url.chars().all(plain) || url.starts_with('-') {
            return Err(BadRepository::Path);
        }
        let (usual, authority, path) = match url.split_once("://") {
            Some(("https", rest)) => {
                let (authority, path) = rest.split_once('/').ok_or(BadRepository::Path)?;
                // Whoever it is, of an address by HTTPS it is in the secret, not in the address.
                if authority.contains('@') {
                    return Err(BadRepository::Password);
                }
                (443, authority, path)
            }
            Some(("ssh", rest)) => {
                let (authority, path) = rest.split_once('/').ok_or(BadRepository::Path)?;
                (22, user(authority)?, path)
            }
            Some(_) => return Err(BadRepository::Scheme),
            None => {
                let (authority, path) = url.split_once(':').ok_or(BadRepository::Scheme)?;
                if !authority.contains('@') {
                    return Err(BadRepository::Scheme);
                }
                let (host, port) = Host::with_port(user(authority)?, Some(22))?;
                return Self::of(url, (host, port), path);
            }
        };
        Self::of(url, Host::with_port(authority, Some(usual))?, path)
    }

    fn of(url: &str, (host, port): (Host, u16), path: &str) -> Result<Self, BadRepository> {
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let name = last.strip_suffix(".git").unwrap_or(last);
        let fine = (1..=100).contains(&name.len())
            && !name.starts_with(['.', '-'])
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        if !fine {
            return Err(BadRepository::Path);
        }
        Ok(Self { url: url.to_owned(), host, port, folder: name.to_owned() })
    }
}

/// The host after the user, who has no password here.
fn user(authority: &str) -> Result<&str, BadRepository> {
    match authority.split_once('@') {
        Some((user, _)) if user.contains(':') => Err(BadRepository::Password),
        Some((user, _)) if user.is_empty() || user.starts_with('-') => Err(BadRepository::Scheme),
        Some((_, host)) => Ok(host),
        None => Ok(authority),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_as_people_paste_them_are_read() {
        for (url, host, port, folder) in [
            ("https://github.com/me/blog.git", "github.com", 443, "blog"),
            ("https://git.example.com:8443/me/My.Blog/", "git.example.com", 8443, "My.Blog"),
            ("ssh://git@github.com/me/blog", "github.com", 22, "blog"),
            ("ssh://git@git.example.com:2222/blog.git", "git.example.com", 2222, "blog"),
            ("git@github.com:me/blog.git", "github.com", 22, "blog"),
            ("git@github.com:blog", "github.com", 22, "blog"),
        ] {
            let read = Repository::parse(url).unwrap();
            assert_eq!((read.host.to_string().as_str(), read.port), (host, port), "{url}");
            assert_eq!(read.folder, folder, "{url}");
            assert_eq!(read.url, url);
        }
    }

    #[test]
    fn what_would_run_something_or_tell_a_password_is_refused() {
        for bad in [
            "",
            "blog",
            "/etc",
            "file:///etc/x",
            "ext::sh -c id",
            "http://github.com/me/blog",
            "git://github.com/me/blog",
            "--upload-pack=id",
            "-oProxyCommand=id@x:y",
            "ssh://-oProxyCommand=id@host/x",
            "https://me:token@github.com/me/blog",
            "https://token@github.com/me/blog",
            "ssh://git:secret@github.com/me/blog",
            "https://github.com",
            "https://github.com/",
            "https://github.com/me/..",
            "https://github.com/me/.git",
            "https://github.com/me/a b",
            "https://github.com/me/a\nb",
            "https://localhost/me/blog",
            "C:\\blog",
        ] {
            assert!(Repository::parse(bad).is_err(), "{bad}");
        }
    }
}
