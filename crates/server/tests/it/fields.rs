//! What the sources say to the log and in traces, by name, against the lists of what may be said: a name
//! that is not listed would not be written, and whoever adds one should look at the list first.

use smartbox_server::logs::FIELDS;
use smartbox_server::traces::ATTRIBUTES;

use crate::house::sources;

/// The arguments of a macro or call, from behind its opening parenthesis; as they stand there.
fn arguments(text: &str) -> Vec<String> {
    let (mut depth, mut quoted, mut escaped) = (1, false, false);
    let mut found = vec![String::new()];
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 1 => {
                found.push(String::new());
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
        found.last_mut().unwrap().push(c);
    }
    found.into_iter().map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect()
}

/// The name of a field: `name = value`, `%name`, `?name` or `name`.
fn name(argument: &str) -> &str {
    let bare = argument.trim_start_matches(['%', '?']);
    bare.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').next().unwrap()
}

/// What follows each of these beginnings in all sources: the place, and the arguments.
fn calls(beginnings: &[&str]) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let code: Vec<&str> = source.code().collect();
        let code = code.join("\n");
        for beginning in beginnings {
            let after = code.match_indices(beginning).map(|(at, _)| &code[at + beginning.len()..]);
            found.extend(after.map(|rest| (source.place(), arguments(rest))));
        }
    }
    found
}

#[test]
fn every_field_of_the_log_is_listed_and_every_listed_one_is_said() {
    // Assembled here, so that this file does not find itself.
    let levels = ["trace", "debug", "info", "warn", "error"];
    let beginnings = levels.map(|level| format!("tracing::{level}!("));
    let calls = calls(&beginnings.each_ref().map(String::as_str));
    assert!(calls.len() > 80, "only {} lines were found: this test does not see them", calls.len());
    let mut said = std::collections::BTreeSet::new();
    for (place, arguments) in calls {
        for field in arguments.iter().take_while(|argument| !argument.starts_with('"')) {
            let name = name(field);
            assert!(
                FIELDS.contains(&name),
                "{place} says `{name}` to the log; see server/src/logs.rs"
            );
            said.insert(name.to_owned());
        }
    }
    for name in FIELDS {
        assert!(said.contains(*name), "nobody says `{name}` to the log: take it off the list");
    }
}

#[test]
fn every_attribute_of_a_span_is_listed_and_every_listed_one_is_said() {
    let levels = ["trace", "debug", "info", "warn", "error"];
    let beginnings = levels.map(|level| format!(" {level}_span!("));
    let calls = calls(&beginnings.each_ref().map(String::as_str));
    assert!(
        calls.len() >= 10,
        "only {} spans were found: this test does not see them",
        calls.len()
    );
    let mut said = std::collections::BTreeSet::new();
    for (place, arguments) in calls {
        assert_eq!(arguments[0], "target: TRACE", "{place}: a span has the target of traces");
        let fields = arguments.iter().skip_while(|argument| !argument.starts_with('"')).skip(1);
        said.extend(fields.map(|field| (place.clone(), name(field).to_owned())));
    }
    for (place, arguments) in self::calls(&[".record(\""]) {
        let (name, _) = arguments[0].split_once('"').unwrap();
        said.insert((place, name.to_owned()));
    }
    let said: Vec<_> = said.iter().filter(|(_, name)| !name.starts_with("otel.")).collect();
    for (place, name) in &said {
        assert!(ATTRIBUTES.contains(&name.as_str()), "{place}: `{name}` is no attribute of ours");
    }
    for name in ATTRIBUTES {
        assert!(said.iter().any(|(_, said)| said == name), "nobody says `{name}`: take it off");
    }
}

#[test]
fn nothing_is_told_but_by_name() {
    // The attribute makes a field of every argument of a function.
    let needle = concat!("#[", "instrument");
    let long = concat!("#[tracing::", "instrument");
    for source in sources() {
        let found = source.text.contains(needle) || source.text.contains(long);
        assert!(!found, "{} makes fields of all arguments", source.place());
    }
}

#[test]
fn arguments_are_read_as_they_are_written() {
    let found = arguments(r#"%id, took = ?f(a, "x, )"), "said, {name}"); more(1)"#);
    assert_eq!(found, ["%id", r#"took = ?f(a, "x, )")"#, r#""said, {name}""#]);
    assert_eq!(found.iter().map(|one| name(one)).collect::<Vec<_>>(), ["id", "took", ""]);
}
