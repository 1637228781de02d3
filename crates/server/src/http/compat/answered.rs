//! The original's calls that are answered, for the page about them. A test compares it with the routes.

/// Method, path, and what is said of it where it is more than the original said.
pub const ANSWERED: &[(&str, &str, &str)] = &[
    ("GET", "/api/super/users", "accounts"),
    ("GET", "/api/super/users/lookup/{name}", "by name or id, never by a part of a name"),
    ("GET", "/api/super/state/dashboard", "`state/v2` of every account's PA box, and the sums"),
    ("GET", "/api/super/users/{id}/state", "the same as `state/v2`"),
    (
        "GET",
        "/api/super/users/{id}/state/v2",
        "`idle` is a frozen box; `smartboxState` is our own word; `error` comes with state `error`",
    ),
    ("POST", "/api/super/users/{id}/wake", "504 after a minute; the wake goes on"),
    (
        "POST",
        "/api/super/users/{id}/restart-async",
        "a turn in progress is finished first; `checkStatusUrl` says where it is",
    ),
    (
        "POST",
        "/api/super/bulk/restart",
        "`userIds` or all, one after another with `delayMs` between; a job, whose outcome for each is kept",
    ),
    (
        "POST",
        "/api/super/bulk/config-patch",
        "checked against the engine's schema, in the history of each; 202 after 25 s, with the job's address",
    ),
    ("GET", "/api/super/users/{id}/config", "the owner's part; `platformKeys` names the rest"),
    ("PUT", "/api/super/users/{id}/config", "checked against the engine's schema first"),
    (
        "PATCH",
        "/api/super/users/{id}/config",
        "a merge patch (RFC 7396); a top-level `model` is `agents.defaults.model.primary`",
    ),
    ("GET", "/api/super/users/{id}/config/history", "version 1 is the newest, here and below"),
    ("POST", "/api/super/users/{id}/config/rollback", ""),
    ("POST", "/api/super/users/{id}/config/reload", "the engine goes by its file"),
    (
        "POST",
        "/api/super/users/{id}/exec",
        "the command is killed at its deadline; 202 with `pollUrl` if the box had to boot first",
    ),
    ("GET", "/api/super/users/{id}/exec/{exec}/status", "for a day"),
    ("GET", "/api/super/users/{id}/files", "`path`; entries are structured, a thousand at most"),
    (
        "GET",
        "/api/super/users/{id}/files/{*path}",
        "text, or a directory's entries; with `/exists` behind the path, whether it is there",
    ),
    ("PUT", "/api/super/users/{id}/files/{*path}", ""),
    ("DELETE", "/api/super/users/{id}/files/{*path}", ""),
    ("POST", "/api/super/users/{id}/files/batch", "up to 50, one after another"),
    ("GET", "/api/super/users/{id}/logs", "`tail` in lines, of one stream"),
    (
        "POST",
        "/api/super/users/{id}/message",
        "202 after 25 s, with the address at which the answer can be read later; session `main` if none is named",
    ),
    (
        "GET",
        "/api/super/users/{id}/sessions",
        "the newest 20 as a list, where the original showed their directory as text",
    ),
    (
        "GET",
        "/api/super/users/{id}/r2-status",
        "a backup is a snapshot: `backupFormat` is `snapshot` or `none`; times are milliseconds",
    ),
    ("GET", "/api/super/users/{id}/r2-health", "`threshold` is the box's objective in minutes"),
    ("POST", "/api/super/users/{id}/sync-async", "a job; `checkStatusAt` says where it is"),
    (
        "GET",
        "/api/admin/devices",
        "of one's own account; a `requestId` is the `deviceId`; `scopes` are `read`, `chat`, `manage`, `own`",
    ),
    (
        "POST",
        "/api/admin/devices/{id}/approve",
        "with what it asks for, as far as one may give it, and never `own`; 404 and 409 where nothing is done",
    ),
    (
        "POST",
        "/api/admin/devices/approve-all",
        "`failed` has those that somebody else decided about",
    ),
    ("GET", "/api/admin/storage", "of one's own PA box, by session or bearer"),
    ("POST", "/api/admin/storage/sync", "a job; `checkStatusAt` says where it is"),
    ("GET", "/api/admin/secrets", "of one's own account; shorter ones than 20 are masked whole"),
    ("PUT", "/api/admin/secrets", "all or none; no restart is needed"),
    ("DELETE", "/api/admin/secrets/{key}", ""),
];
