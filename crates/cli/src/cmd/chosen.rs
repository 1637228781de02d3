//! A kind or a tier that there is none of is a mistake in the command, and the nearest one is named.

use smartbox_api::call;
use smartbox_api::problem::Code;
use smartbox_server::config::nearest::nearest;

use crate::client::Client;
use crate::error::CliError;

/// What was chosen, if the platform refused because of it; otherwise the same error.
pub(super) async fn explain(
    client: &Client,
    error: CliError,
    kind: Option<&str>,
    tier: Option<&str>,
) -> CliError {
    let refused = |problem: &smartbox_api::problem::Problem| problem.known() == Some(Code::Refused);
    if !matches!(&error, CliError::Problem(problem) if refused(problem)) {
        return error;
    }
    // Of a platform that does not say what it has, its own words have to do.
    let kinds = match kind {
        Some(_) => client.all(call::kinds).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let tiers = match tier {
        Some(_) => client.all(call::tiers).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let kinds: Vec<String> = kinds.into_iter().map(|kind| kind.name.to_string()).collect();
    let tiers: Vec<String> = tiers.into_iter().map(|tier| tier.name).collect();
    let wrong = none_such("kind", kind, &kinds).or_else(|| none_such("tier", tier, &tiers));
    wrong.unwrap_or(error)
}

fn none_such(what: &str, word: Option<&str>, known: &[String]) -> Option<CliError> {
    let word = word.filter(|word| !known.is_empty() && !known.iter().any(|one| one == word))?;
    let hint = match nearest(word, known.iter().map(String::as_str)) {
        Some(nearest) => format!("did you mean `{nearest}`? `smartbox {what} ls` shows them all"),
        None => format!("choose one of {}", known.join(", ")),
    };
    Some(CliError::usage(format!("there is no {what} `{word}`"), hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_named_and_what_there_is_is_no_mistake() {
        let known = ["creative".to_owned(), "project".to_owned()];
        let wrong = |word: &str| none_such("kind", Some(word), &known);
        let error = wrong("creativ").unwrap();
        assert_eq!(error.to_string(), "there is no kind `creativ`");
        assert_eq!((error.code(), error.hint().contains("`creative`?")), (2, true));
        assert_eq!(wrong("x").unwrap().hint(), "choose one of creative, project");
        assert!(wrong("project").is_none() && none_such("kind", None, &known).is_none());
        assert!(none_such("kind", Some("x"), &[]).is_none(), "nobody said what there is");
    }
}
