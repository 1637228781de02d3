//! Rules by which an identity is given something. Whoever runs the platform writes them; nobody who
//! signs in has a word in it.

use std::collections::BTreeMap;

use crate::person::{Identity, Right, Role};

/// Whom a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Who has this address.
    Email(String),
    /// Who has an address there.
    Domain(String),
    /// Who is in this group.
    Group(String),
    /// The program of this name.
    Service(String),
}

/// What a rule gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gives {
    /// A role in the account of this name.
    Role(String, Role),
    /// The running of the installation, so much of it.
    Operator(Right),
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Whom it is about.
    pub whom: Whom,
    /// The issuer whose word counts; any that is set up, if none.
    pub issuer: Option<String>,
    /// What it gives.
    pub gives: Gives,
}

/// What the rules make of somebody: of everything that they speak of, whether it is given or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// How much of the installation they run; outer `None` if no rule speaks of that.
    pub operator: Option<Option<Right>>,
    /// What they are in each account that a rule names.
    pub roles: BTreeMap<String, Option<Role>>,
}

impl Given {
    /// Whether it is anything at all.
    pub fn is_something(&self) -> bool {
        self.operator.flatten().is_some() || self.roles.values().any(Option::is_some)
    }
}

/// What the rules give to somebody. Of several that apply, the greatest counts.
pub fn given(rules: &[Rule], who: &Identity) -> Given {
    let mut given = Given::default();
    for rule in rules {
        let applies = rule.issuer.as_ref().is_none_or(|issuer| *issuer == who.issuer)
            && is_about(&rule.whom, who);
        match &rule.gives {
            Gives::Operator(right) => {
                let now = given.operator.get_or_insert(None);
                *now = (*now).max(applies.then_some(*right));
            }
            Gives::Role(account, role) => {
                let now = given.roles.entry(account.clone()).or_insert(None);
                *now = (*now).max(applies.then_some(*role));
            }
        }
    }
    given
}

fn is_about(whom: &Whom, who: &Identity) -> bool {
    // Whoever could write any address into a token's claims would be anybody.
    let email = || who.email.as_deref().filter(|_| who.email_verified && !who.service);
    match whom {
        Whom::Email(email_of) => email().is_some_and(|email| email.eq_ignore_ascii_case(email_of)),
        Whom::Domain(domain) => email()
            .and_then(|email| email.rsplit_once('@'))
            .is_some_and(|(_, there)| there.eq_ignore_ascii_case(domain)),
        Whom::Group(group) => !who.service && who.groups.contains(group),
        Whom::Service(name) => who.service && who.subject == *name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn ada() -> Identity {
        Identity {
            issuer: "https://id.example".into(),
            subject: "1".into(),
            email: Some("Ada@Example.com".into()),
            email_verified: true,
            name: None,
            groups: vec!["crew".into()],
            service: false,
            expires: Timestamp(0),
        }
    }

    fn rule(whom: Whom, gives: Gives) -> Rule {
        Rule { whom, issuer: None, gives }
    }

    fn role(whom: Whom, who: &Identity) -> Option<Role> {
        given(&[rule(whom, Gives::Role("me".into(), Role::Member))], who).roles["me"]
    }

    #[test]
    fn somebody_is_known_by_address_domain_or_group() {
        for whom in [
            Whom::Email("ada@example.com".into()),
            Whom::Domain("example.COM".into()),
            Whom::Group("crew".into()),
        ] {
            assert_eq!(role(whom, &ada()), Some(Role::Member));
        }
        for whom in [
            Whom::Email("ada@example.co".into()),
            Whom::Domain("ample.com".into()),
            Whom::Domain("com".into()),
            Whom::Group("Crew".into()),
            Whom::Service("1".into()),
        ] {
            assert_eq!(role(whom, &ada()), None);
        }
    }

    #[test]
    fn an_address_that_nobody_vouches_for_gives_nothing() {
        let unsure = Identity { email_verified: false, ..ada() };
        assert_eq!(role(Whom::Email("ada@example.com".into()), &unsure), None);
        assert_eq!(role(Whom::Domain("example.com".into()), &unsure), None);
        let two = Identity { email: Some("ada@example.com@evil.example".into()), ..ada() };
        assert_eq!(role(Whom::Domain("example.com".into()), &two), None);
        assert_eq!(role(Whom::Domain("evil.example".into()), &two), Some(Role::Member));
    }

    #[test]
    fn a_program_is_no_person_and_a_person_no_program() {
        let robot = Identity { service: true, subject: "ada.access".into(), ..ada() };
        assert_eq!(role(Whom::Service("ada.access".into()), &robot), Some(Role::Member));
        assert_eq!(role(Whom::Group("crew".into()), &robot), None);
        assert_eq!(role(Whom::Email("ada@example.com".into()), &robot), None);
        let sly = Identity { subject: "ada.access".into(), ..ada() };
        assert_eq!(role(Whom::Service("ada.access".into()), &sly), None);
    }

    #[test]
    fn another_issuers_word_is_not_asked_for() {
        let whom = Whom::Group("crew".into());
        let gives = Gives::Operator(Right::Own);
        let of = |issuer: &str| Rule {
            issuer: Some(issuer.into()),
            ..rule(whom.clone(), gives.clone())
        };
        assert_eq!(given(&[of("https://id.example")], &ada()).operator, Some(Some(Right::Own)));
        assert_eq!(given(&[of("https://id.example/")], &ada()).operator, Some(None));
    }

    #[test]
    fn the_greatest_counts_and_what_is_not_spoken_of_is_left_out() {
        let crew = || Whom::Group("crew".into());
        let rules = [
            rule(crew(), Gives::Role("me".into(), Role::Owner)),
            rule(crew(), Gives::Role("me".into(), Role::Viewer)),
            rule(Whom::Group("none".into()), Gives::Role("other".into(), Role::Owner)),
        ];
        let found = given(&rules, &ada());
        assert_eq!(found.roles["me"], Some(Role::Owner));
        assert_eq!(found.roles["other"], None);
        assert_eq!(found.operator, None);
        assert!(found.is_something() && !given(&rules[2..], &ada()).is_something());
    }
}
