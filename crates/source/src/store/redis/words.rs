//! What went wrong, in words that say what to do.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::server::STEP_TIMEOUT;

/// An error of a server, or on the way to one. Passwords are in none of them.
pub(super) fn in_words(error: &RedisError) -> String {
    if error.is_timeout() {
        return format!("it does not answer within {} seconds", STEP_TIMEOUT.as_secs());
    }
    let (code, detail) = (error.code().unwrap_or_default(), error.detail().unwrap_or_default());
    match error.kind() {
        ErrorKind::AuthenticationFailed => login(detail),
        ErrorKind::Server(ServerErrorKind::NoPerm) => format!("{detail}; give its user more rights (ACL SETUSER)"),
        ErrorKind::Server(ServerErrorKind::ReadOnly) => {
            "it is a replica, which takes no changes; name the server that it follows, or its sentinels".into()
        }
        ErrorKind::Server(ServerErrorKind::BusyLoading) => "it still reads its data from the disk".into(),
        ErrorKind::Server(ServerErrorKind::CrossSlot) => {
            "its keys are on several servers of the cluster; put a part of the name in braces: ?key={flagstaff}:flags"
                .into()
        }
        _ if code == "NOAUTH" || code == "WRONGPASS" => login(detail),
        _ if code == "WRONGTYPE" => "under the key is no text, but a value of another type".into(),
        _ if error.is_connection_refusal() => "nothing listens there; is it running, and is this its address?".into(),
        _ => error.to_string(),
    }
}

fn login(detail: &str) -> String {
    let detail = if detail.is_empty() { "it wants another user or password" } else { detail };
    format!("{detail} (user and password stand before the @ of the address)")
}
