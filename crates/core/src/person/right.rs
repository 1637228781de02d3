//! How much somebody may. Each right includes those before it.

use serde::{Deserialize, Serialize};

/// How much somebody may do with a smartbox, or with all that an account has.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// Look: state, conversations, files, logs.
    Read,
    /// Also write to it.
    Chat,
    /// Also start, stop and change it, its files, its configuration, its devices.
    Manage,
    /// Also what costs or gives away: secrets, tokens, members, its removal. Of an account alone; nobody
    /// can be given it over a single smartbox.
    Own,
}

impl Right {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::Read, Self::Chat, Self::Manage, Self::Own];
}

/// What somebody is in an account.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
#[schema(as = AccountRole)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Works with its smartboxes.
    Member,
    /// May everything.
    Owner,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Member, Self::Owner];

    /// What it may do with everything in the account.
    pub const fn right(self) -> Right {
        match self {
            Self::Viewer => Right::Read,
            Self::Member => Right::Manage,
            Self::Owner => Right::Own,
        }
    }
}

crate::words! {
    Right { Read = "read", Chat = "chat", Manage = "manage", Own = "own" }
    Role { Viewer = "viewer", Member = "member", Owner = "owner" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_and_roles_are_steps() {
        assert!(
            Right::Read < Right::Chat && Right::Chat < Right::Manage && Right::Manage < Right::Own
        );
        assert_eq!(Role::ALL.map(Role::right), [Right::Read, Right::Manage, Right::Own]);
    }

    #[test]
    fn words_are_read_back() {
        for right in Right::ALL {
            assert_eq!(Right::parse(right.as_str()), Some(right));
        }
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Right::parse("operator.admin"), None);
    }
}
