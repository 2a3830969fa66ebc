//! What went wrong, in words that say what to do.

use flagstaff_flags::{brief, printable};
use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::address::Address;
use super::server::STEP_TIMEOUT;

/// What our scripts say before the name of a command that was refused.
pub(super) const REFUSED: &str = "refused: ";

/// An error of a server, or on the way to one. Passwords are in none of them.
pub(super) fn in_words(error: &RedisError, address: &Address) -> String {
    brief(&printable(&words(error, address))).into_owned()
}

fn words(error: &RedisError, address: &Address) -> String {
    if error.is_timeout() {
        let tls = if address.is_encrypted { " (does it speak TLS on this port?)" } else { "" };
        return format!("it does not answer within {} seconds{tls}", STEP_TIMEOUT.as_secs());
    }
    let (code, detail) = (error.code().unwrap_or_default(), error.detail().unwrap_or_default());
    match error.kind() {
        ErrorKind::AuthenticationFailed => login(detail),
        ErrorKind::Server(ServerErrorKind::NoPerm) => too_few_rights(detail, &address.key),
        ErrorKind::Server(ServerErrorKind::ReadOnly) => {
            "it is a replica, which takes no changes; name the server that it follows, or its sentinels".into()
        }
        ErrorKind::Server(ServerErrorKind::BusyLoading) => "it still reads its data from the disk".into(),
        ErrorKind::Server(ServerErrorKind::CrossSlot) => {
            "its keys are on several servers of the cluster; put a part of the name in braces: ?key={flagstaff}:flags"
                .into()
        }
        _ if code == "NOAUTH" || code == "WRONGPASS" => login(detail),
        _ if code == "WRONGTYPE" || detail.contains("WRONGTYPE") => {
            "under a key is a value of another type: documents are texts, and the environments a set".into()
        }
        _ if detail.contains("The user executing the script") || detail.contains("has no permissions") => {
            too_few_rights(detail, &address.key)
        }
        _ if error.is_connection_refusal() => "nothing listens there; is it running, and is this its address?".into(),
        ErrorKind::Io | ErrorKind::Parse if !address.is_encrypted => {
            format!("{error} (where it speaks TLS, the address begins with rediss://)")
        }
        _ if address.is_encrypted => of_tls(error.to_string()),
        _ => error.to_string(),
    }
}

/// What goes wrong with TLS and certificates.
fn of_tls(said: String) -> String {
    let mend = match said.as_str() {
        said if said.contains("UnknownIssuer") || said.contains("BadSignature") => {
            "the authority that signed its certificate is not trusted here; name the file of the authority: SSL_CERT_FILE"
        }
        said if said.contains("InvalidContentType") => "it does not speak TLS on this port; redis:// is without TLS",
        said if said.contains("CertificateRequired") => {
            "it wants a certificate of its clients, which none has here; set tls-auth-clients to no"
        }
        _ => return said,
    };
    format!("{said} ({mend})")
}

fn login(detail: &str) -> String {
    let detail = if detail.is_empty() { "it wants another user or password" } else { detail };
    format!("{detail} (user and password stand before the @ of the address)")
}

/// What a user may not do, and the right that is missing.
fn too_few_rights(detail: &str, key: &str) -> String {
    let (what, right) = match refused_command(detail) {
        _ if detail.contains("keys") => ("use these keys".into(), format!("~{key} ~{key}:*")),
        _ if detail.contains("channel") => ("use this channel".into(), format!("&{key}")),
        Some(command) => (format!("use `{command}`"), format!("+{command}")),
        None => ("do this".into(), "+COMMAND".into()),
    };
    format!("its user may not {what}; give it this right: ACL SETUSER USER {right}")
}

/// The command that a server or a script names: in quotes, or after a word of ours.
fn refused_command(detail: &str) -> Option<String> {
    let by_script = detail.split_once(REFUSED).and_then(|(_, rest)| rest.split_whitespace().next());
    let named = by_script.or_else(|| detail.split('\'').nth(1))?;
    let is_name =
        named.len() < 32 && named.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"|-_.".contains(&byte));
    is_name.then(|| named.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_that_is_missing_is_named() {
        for (said, right) in [
            ("this user has no permissions to run the 'set' command", "+set"),
            ("User a has no permissions to run the 'client|setinfo' command", "+client|setinfo"),
            ("this user has no permissions to access one of the keys used as arguments", "~shop ~shop:*"),
            ("this user has no permissions to access one of the channels used as arguments", "&shop"),
            ("user_script:3: refused: PUBLISH ERR The user executing the script can't run this command", "+publish"),
            ("run the '\u{1b}[31m' command", "+COMMAND"),
        ] {
            let told = too_few_rights(said, "shop");
            assert!(told.ends_with(&format!("ACL SETUSER USER {right}")), "{said}: {told}");
        }
    }
}
