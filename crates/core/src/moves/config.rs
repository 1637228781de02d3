//! What in an old configuration is changed or told: paths of the old home, and credentials.

use serde_json::Value;

/// Replaces paths of the old home by those of the new one, in every string that is such a path or lies
/// beneath one. Each pair is old and new; the first that fits counts. Says how many were replaced.
pub fn relocate(document: &mut Value, pairs: &[(String, String)]) -> usize {
    match document {
        Value::String(text) => {
            let moved = pairs.iter().find_map(|(old, new)| {
                let rest = text.strip_prefix(old.as_str())?;
                (rest.is_empty() || rest.starts_with('/')).then(|| format!("{new}{rest}"))
            });
            match moved.filter(|moved| moved != text) {
                Some(moved) => {
                    *text = moved;
                    1
                }
                None => 0,
            }
        }
        Value::Array(items) => items.iter_mut().map(|item| relocate(item, pairs)).sum(),
        Value::Object(map) => map.values_mut().map(|value| relocate(value, pairs)).sum(),
        _ => 0,
    }
}

/// Where a document has a credential in it, as `channels.telegram.botToken`. The values are not told.
pub fn credentials(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    search(document, &mut String::new(), &mut found);
    found
}

fn search(value: &Value, path: &mut String, found: &mut Vec<String>) {
    let len = path.len();
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
                match value {
                    Value::String(text) if names_one(key) && is_one(text) => {
                        found.push(path.clone());
                    }
                    other => search(other, path, found),
                }
                path.truncate(len);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                path.push_str(&format!(".{at}"));
                search(value, path, found);
                path.truncate(len);
            }
        }
        _ => {}
    }
}

fn names_one(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace(['_', '-'], "");
    ["token", "apikey", "secret", "password", "privatekey", "passphrase", "accesskey"]
        .iter()
        .any(|word| key.ends_with(word))
}

/// A placeholder for a variable is none.
fn is_one(text: &str) -> bool {
    let placeholder = text.starts_with("${") && text.ends_with('}');
    !text.is_empty() && !placeholder
}

/// The names of variables in a `.env` file that hold a credential.
pub fn secret_variables(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.trim().split_once('='));
    lines
        .map(|(name, value)| (name.trim().trim_start_matches("export "), value.trim()))
        .filter(|(name, value)| {
            let name_fits = names_one(name) || name.to_ascii_uppercase().ends_with("_KEY");
            !name.starts_with('#') && name_fits && !value.trim_matches(['"', '\'']).is_empty()
        })
        .map(|(name, _)| name.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_of_the_old_home_become_those_of_the_new_one() {
        let pairs = [
            ("/root/openclaw".to_owned(), "/home/box/.openclaw/workspace".to_owned()),
            ("/root".to_owned(), "/home/box".to_owned()),
        ];
        let mut document = json!({
            "agents": { "defaults": { "workspace": "/root/openclaw" } },
            "skills": ["/root/openclaw/skills", "/rootless", "say /root", "/root"],
            "n": 1,
        });
        assert_eq!(relocate(&mut document, &pairs), 3);
        assert_eq!(document["agents"]["defaults"]["workspace"], "/home/box/.openclaw/workspace");
        let skills =
            json!(["/home/box/.openclaw/workspace/skills", "/rootless", "say /root", "/home/box"]);
        assert_eq!(document["skills"], skills);
        assert_eq!(relocate(&mut document, &pairs), 0, "twice is once");
    }

    #[test]
    fn credentials_are_told_by_place_and_never_by_value() {
        let document = json!({
            "channels": { "telegram": { "botToken": "123:abc", "enabled": true }, "list": [{ "api_key": "k" }] },
            "models": { "apiKey": "${ANTHROPIC_API_KEY}", "maxTokens": 7, "secret": "" },
            "gateway": { "auth": { "token": "t", "password": { "source": "env" } } },
        });
        let found = credentials(&document);
        assert_eq!(
            found,
            ["channels.list.0.api_key", "channels.telegram.botToken", "gateway.auth.token"]
        );
    }

    #[test]
    fn variables_with_a_credential_are_told_by_name() {
        let text =
            "# KEY=x\nANTHROPIC_API_KEY=sk\nexport SLACK_BOT_TOKEN=\"x\"\nDEBUG=1\nEMPTY_TOKEN=\n";
        assert_eq!(secret_variables(text), ["ANTHROPIC_API_KEY", "SLACK_BOT_TOKEN"]);
    }
}
