//! Where everything is. Names in a path are percent-encoded, so no name can leave its segment.

/// The request header by which an operator acts for an account: its name or id.
pub const ACCOUNT_HEADER: &str = "smartbox-account";
/// The prefix of every path of the API.
pub const API: &str = "/api/v1";
/// `GET`: is the process alive? No sign-in.
pub const HEALTH: &str = "/health";
/// `GET`: can it work (store open, not draining)? No sign-in.
pub const READY: &str = "/ready";
/// `GET`: the OpenAPI document. No sign-in.
pub const OPENAPI: &str = "/api/openapi.json";
/// `GET`: the same for people. No sign-in.
pub const DOCS: &str = "/api/docs";
/// `GET`: [`crate::platform::PlatformStatus`].
pub const STATUS: &str = "/api/v1/status";
/// `GET`: a list of [`crate::smartbox::SmartboxView`]; `POST` [`crate::smartbox::NewSmartbox`].
pub const BOXES: &str = "/api/v1/boxes";
/// `GET` a page of [`crate::account::AccountView`]; `POST` [`crate::account::NewAccount`].
pub const ACCOUNTS: &str = "/api/v1/accounts";
/// `GET`: a page of [`crate::kind::KindView`].
pub const KINDS: &str = "/api/v1/kinds";
/// `GET`: a page of [`crate::tier::TierView`].
pub const TIERS: &str = "/api/v1/tiers";
/// `GET`: a page of [`crate::job::JobView`].
pub const JOBS: &str = "/api/v1/jobs";
/// `POST` [`crate::bulk::BulkRestart`].
pub const BULK_RESTART: &str = "/api/v1/bulk/restart";
/// `POST` [`crate::bulk::BulkConfig`].
pub const BULK_CONFIG: &str = "/api/v1/bulk/config";
/// `GET`: [`crate::dashboard::Dashboard`].
pub const DASHBOARD: &str = "/api/v1/dashboard";
/// `GET`: a page of [`crate::issue::Issue`].
pub const ISSUES: &str = "/api/v1/issues";
/// `GET` a page of [`crate::egress::EgressRuleView`]; `POST` [`crate::egress::NewEgressRule`].
pub const EGRESS_RULES: &str = "/api/v1/egress/rules";
/// `GET` a page of [`crate::egress::EgressPresetView`].
pub const EGRESS_PRESETS: &str = "/api/v1/egress/presets";
/// `GET` a list of [`crate::secret::SecretView`].
pub const SECRETS: &str = "/api/v1/secrets";
/// `GET` a page of [`crate::secret::ServiceView`].
pub const SERVICES: &str = "/api/v1/secrets/services";
/// `GET`: [`crate::vault::VaultView`].
pub const VAULT: &str = "/api/v1/vault";
/// `POST` [`crate::vault::RotateVault`].
pub const VAULT_ROTATE: &str = "/api/v1/vault/rotate";
/// `GET` a page of [`crate::snapshot::TombstoneView`].
pub const TOMBSTONES: &str = "/api/v1/tombstones";
/// `GET` a page of [`crate::snapshot::LostView`]; `POST` [`crate::snapshot::Recover`].
pub const LOST: &str = "/api/v1/lost";
/// `POST` an archive, answered with [`crate::moves::Imported`].
pub const IMPORTS: &str = "/api/v1/imports";
/// `POST` a [`crate::moves::BucketImport`], answered with [`crate::moves::Imported`].
pub const BUCKET_IMPORTS: &str = "/api/v1/imports/bucket";
/// `GET` a page of [`crate::token::TokenView`]; `POST` [`crate::token::NewToken`]; `DELETE` revokes all
/// of the account.
pub const TOKENS: &str = "/api/v1/tokens";
/// `GET` a page of [`crate::person::PersonView`]; `POST` [`crate::person::NewPerson`].
pub const PEOPLE: &str = "/api/v1/people";
/// `GET`: lines, each a [`crate::audit::AuditLine`].
pub const AUDIT: &str = "/api/v1/audit";
/// `GET`: [`crate::person::WhoAmI`].
pub const WHOAMI: &str = "/api/v1/whoami";
/// `GET` a page of [`crate::token::TokenView`]; `POST` [`crate::token::NewOperatorKey`].
pub const OPERATOR_KEYS: &str = "/api/v1/operator-keys";

/// `POST` [`crate::device::DeviceAsk`] as a form (RFC 8628, 3.1). No sign-in.
pub const DEVICE_AUTHORIZE: &str = "/api/v1/device/authorize";
/// `POST` [`crate::device::TokenAsk`] as a form (RFC 8628, 3.4). No sign-in.
pub const DEVICE_TOKEN: &str = "/api/v1/device/token";
/// `GET` a page of [`crate::device::DeviceView`].
pub const DEVICES: &str = "/api/v1/devices";
/// `POST` [`crate::device::FindDevice`].
pub const DEVICES_FIND: &str = "/api/v1/devices/find";
/// `POST` [`crate::device::Invite`].
pub const DEVICES_INVITE: &str = "/api/v1/devices/invite";
/// `POST`: lets in all that wait.
pub const DEVICES_APPROVE_ALL: &str = "/api/v1/devices/approve-all";

/// One account, by name or id: `GET`, `PATCH`, `DELETE`.
pub fn account(name: &str) -> String {
    format!("{ACCOUNTS}/{}", segment(name))
}

/// One token: `DELETE`.
pub fn token(id: &str) -> String {
    format!("{TOKENS}/{}", segment(id))
}

/// Gives a token a new value: `POST` [`crate::token::Rotate`].
pub fn rotate_token(id: &str) -> String {
    format!("{}/rotate", token(id))
}

/// One person, by id or address: `PATCH` [`crate::person::PersonChange`], `DELETE`.
pub fn person(who: &str) -> String {
    format!("{PEOPLE}/{}", segment(who))
}

/// The members of an account: `GET` a page of [`crate::person::MemberView`].
pub fn members(account: &str) -> String {
    format!("{}/members", self::account(account))
}

/// One member, by id or address: `PUT` [`crate::person::Membership`], `DELETE`.
pub fn member(account: &str, who: &str) -> String {
    format!("{}/{}", members(account), segment(who))
}

/// With whom a box is shared: `GET` a page of [`crate::person::ShareView`].
pub fn shares(name: &str) -> String {
    of_smartbox(name, "shares")
}

/// One of them, by id or address: `PUT` [`crate::person::Sharing`], `DELETE`.
pub fn share(name: &str, who: &str) -> String {
    format!("{}/{}", shares(name), segment(who))
}

/// One key of an operator: `DELETE`.
pub fn operator_key(id: &str) -> String {
    format!("{OPERATOR_KEYS}/{}", segment(id))
}

/// One device: `GET`, `PATCH`; beneath it `POST …/{approve,reject,revoke}`.
pub fn device(id: &str) -> String {
    format!("{DEVICES}/{}", segment(id))
}

/// One rule about what may leave: `DELETE`.
pub fn egress_rule(id: &str) -> String {
    format!("{EGRESS_RULES}/{}", segment(id))
}

/// One smartbox, by name or id: `GET`, `PATCH`, `DELETE`.
pub fn smartbox(name: &str) -> String {
    format!("{BOXES}/{}", segment(name))
}

/// What is done to a smartbox: `POST …/{wake,sleep,start,stop,restart,messages,exec,execs,link}`,
/// `GET …/{history,log,logs,execs}`.
pub fn of_smartbox(name: &str, verb: &str) -> String {
    format!("{BOXES}/{}/{verb}", segment(name))
}

/// One command of a smartbox that is a job: `GET`, `DELETE`.
pub fn exec(name: &str, id: &str) -> String {
    format!("{}/{}", of_smartbox(name, "execs"), segment(id))
}

/// One message: `GET`.
pub fn message(id: &str) -> String {
    format!("{API}/messages/{}", segment(id))
}

/// What happens to a message, live: `GET`, server-sent events.
pub fn message_events(id: &str) -> String {
    format!("{API}/messages/{}/events", segment(id))
}

/// A box's configuration: `GET`, `PUT`, `PATCH`; beneath it `history`, `rollback`, `reload`, `schema`.
pub fn config(name: &str) -> String {
    of_smartbox(name, "config")
}

/// One revision of a box's configuration: `GET`.
pub fn revision(name: &str, revision: u64) -> String {
    format!("{}/history/{revision}", config(name))
}

/// One job: `GET`, `DELETE`.
pub fn job(id: &str) -> String {
    format!("{JOBS}/{}", segment(id))
}

/// What there is of a job: `GET …/{events,items}`, `POST …/{cancel,pause,resume}`.
pub fn of_job(id: &str, what: &str) -> String {
    format!("{JOBS}/{}/{what}", segment(id))
}

/// Says that an issue is over: `POST`.
pub fn resolve_issue(id: &str) -> String {
    format!("{ISSUES}/{}/resolve", segment(id))
}

/// One secret: `PUT`, `DELETE`.
pub fn secret(name: &str) -> String {
    format!("{SECRETS}/{}", segment(name))
}

/// The values that a secret has and had: `GET` a page of [`crate::secret::SecretVersionView`].
pub fn secret_versions(name: &str) -> String {
    format!("{}/versions", secret(name))
}

/// Gives a secret a value again that it had: `POST` [`crate::secret::RollBackSecret`].
pub fn roll_back_secret(name: &str) -> String {
    format!("{}/rollback", secret(name))
}

/// How one secret is bound: `PUT` [`crate::secret::NewBinding`], `DELETE`.
pub fn bindings(name: &str) -> String {
    format!("{}/bindings", secret(name))
}

/// A box's snapshots: `GET` a page of [`crate::snapshot::SnapshotView`], `POST` takes one.
/// Beneath it `GET`, `PATCH …/status`, `POST …/{verify,prune,drill,password}`.
pub fn snapshots(name: &str) -> String {
    of_smartbox(name, "snapshots")
}

/// One snapshot, by its number or [`crate::snapshot::NEWEST`]: `GET`; beneath it `GET
/// …/{files,content,archive,diff}`, `POST …/{restore,fork}`.
pub fn snapshot(name: &str, generation: &str) -> String {
    format!("{}/{}", snapshots(name), segment(generation))
}

/// A removed box: `DELETE` purges it; `POST …/undelete`.
pub fn tombstone(id: &str) -> String {
    format!("{TOMBSTONES}/{}", segment(id))
}

/// `text` as one segment of a path or one value of a query (RFC 3986 unreserved characters stay).
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_segment() {
        assert_eq!(smartbox("pa"), "/api/v1/boxes/pa");
        assert_eq!(smartbox("../secrets?x"), "/api/v1/boxes/%2E%2E%2Fsecrets%3Fx");
        assert_eq!(of_smartbox("a b", "wake"), "/api/v1/boxes/a%20b/wake");
    }
}
