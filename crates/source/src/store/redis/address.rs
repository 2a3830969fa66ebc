//! Which servers, and which keys.

use std::fmt;

use percent_encoding::percent_decode_str;

/// The port of Redis.
const PORT: u16 = 6379;
/// The port of Sentinel.
const SENTINEL_PORT: u16 = 26_379;
/// The key where none is named.
const KEY: &str = "flagstaff:flags";
/// Servers at most.
const MAX_SERVERS: usize = 32;
/// The longest key, in bytes.
const MAX_KEY: usize = 512;

/// How a scheme is spelt, whether it is encrypted, and whether its servers are sentinels.
const SCHEMES: [(&str, bool, bool); 8] = [
    ("redis", false, false),
    ("rediss", true, false),
    ("valkey", false, false),
    ("valkeys", true, false),
    ("redis+sentinel", false, true),
    ("rediss+sentinel", true, true),
    ("valkey+sentinel", false, true),
    ("valkeys+sentinel", true, true),
];

/// A name and a password that a server wants.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
}

/// `redis://user:password@host:6379/0?key=flagstaff:flags`, or `redis+sentinel://user:password@host:26379,host/service/0`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    scheme: &'static str,
    pub(super) is_encrypted: bool,
    /// Asked one after the other, until one answers.
    pub(super) servers: Vec<(String, u16)>,
    /// The name under which sentinels know the server.
    pub(super) service: Option<String>,
    pub(super) database: i64,
    pub(super) login: Login,
    pub(super) sentinel_login: Login,
    pub(super) key: String,
}

impl Address {
    /// Whether a scheme is one of these.
    pub(super) fn takes(scheme: &str) -> bool {
        SCHEMES.iter().any(|(known, ..)| *known == scheme)
    }

    /// Reads an address.
    ///
    /// # Errors
    /// Why it is none. The text never tells user and password.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let known = SCHEMES.into_iter().find(|(known, ..)| *known == scheme);
        let (scheme, is_encrypted, is_sentinel) = known.ok_or("this is no address of Redis")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (service, database) = if is_sentinel { service(path)? } else { (None, path) };
        let mut address = Self {
            scheme,
            is_encrypted,
            servers: servers(hosts, if is_sentinel { SENTINEL_PORT } else { PORT })?,
            service,
            database: number(database)?,
            login: Login::new(login)?,
            sentinel_login: Login::default(),
            key: KEY.into(),
        };
        query.split('&').filter(|pair| !pair.is_empty()).try_for_each(|pair| address.set(pair))?;
        Ok(address)
    }

    /// Takes one `name=value` of the query.
    fn set(&mut self, pair: &str) -> Result<(), String> {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value)?;
        match name {
            "key" if value.is_empty() || value.len() > MAX_KEY || value.chars().any(char::is_control) => {
                Err(format!("the key has 1 to {MAX_KEY} bytes, and no control characters"))
            }
            "key" => {
                self.key = value;
                Ok(())
            }
            "sentinel_user" | "sentinel_password" if self.service.is_none() => {
                Err(format!("`{name}` is for redis+sentinel:// alone"))
            }
            "sentinel_user" => {
                self.sentinel_login.user = Some(value);
                Ok(())
            }
            "sentinel_password" => {
                self.sentinel_login.password = Some(value);
                Ok(())
            }
            _ => Err(format!("`{}` is not known here; write ?key=NAME", flagstaff_flags::brief(name))),
        }
    }

    /// The key of an overlay, of the archive, or of the list of environments.
    pub(super) fn key_of(&self, part: &str) -> String {
        format!("{}:{part}", self.key)
    }

    /// The address of a key, without user and password.
    pub(super) fn shown(&self, key: &str) -> String {
        let servers: Vec<_> = self.servers.iter().map(|(host, port)| shown_server(host, *port)).collect();
        let service = self.service.as_ref().map(|service| format!("/{service}")).unwrap_or_default();
        format!("{}://{}{service}/{}?key={key}", self.scheme, servers.join(","), self.database)
    }
}

/// Without user and password.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown(&self.key))
    }
}

impl Login {
    fn new(text: &str) -> Result<Self, String> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        let said = |text: &str| Some(decoded(text)).filter(|_| !text.is_empty()).transpose();
        Ok(Self { user: said(user)?, password: said(password)? })
    }
}

pub(super) fn shown_server(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// A server as another one names it: `host:port`.
pub(super) fn server(text: &str, port: u16) -> Option<(String, u16)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let port = if rest.is_empty() { port } else { rest.strip_prefix(':')?.parse().ok()? };
        return (!host.is_empty()).then(|| (host.to_owned(), port));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, said)) => (host, said.parse().ok()?),
        None => (text, port),
    };
    let is_name = |host: &str| !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control());
    (is_name(host) && port != 0).then(|| (host.to_owned(), port))
}

fn servers(text: &str, port: u16) -> Result<Vec<(String, u16)>, String> {
    let all: Option<Vec<_>> = text.split(',').map(|one| server(one.trim(), port)).collect();
    match all {
        Some(all) if all.len() <= MAX_SERVERS => Ok(all),
        Some(_) => Err(format!("it names more than {MAX_SERVERS} servers")),
        None => Err("its servers are written HOST:PORT, with commas between".into()),
    }
}

/// The service of `service/0`, and the rest.
fn service(path: &str) -> Result<(Option<String>, &str), String> {
    let (service, rest) = path.split_once('/').unwrap_or((path, ""));
    if service.is_empty() {
        return Err("name the service that the sentinels watch: redis+sentinel://HOST:26379/SERVICE".into());
    }
    Ok((Some(decoded(service)?), rest))
}

fn number(text: &str) -> Result<i64, String> {
    match text.trim_end_matches('/') {
        "" => Ok(0),
        text => {
            let number: Option<u16> = text.parse().ok();
            number.map(Into::into).ok_or_else(|| "its database is a number, as in redis://HOST/0".to_owned())
        }
    }
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.map(Into::into).map_err(|_| "what stands behind % in it is no text".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_keys_and_logins() {
        let address = Address::new("redis://localhost").unwrap();
        assert_eq!(address.shown(&address.key), "redis://localhost:6379/0?key=flagstaff:flags");
        assert_eq!(address.key_of("production"), "flagstaff:flags:production");
        let address = Address::new("rediss://me:s%403cret@a:1,[::1]:2/7?key=%7Bshop%7D:flags").unwrap();
        assert_eq!(address.servers, [("a".to_owned(), 1), ("::1".to_owned(), 2)]);
        assert_eq!((address.is_encrypted, address.database, address.key.as_str()), (true, 7, "{shop}:flags"));
        assert_eq!(address.login.password.as_deref(), Some("s@3cret"));
        assert_eq!(format!("{address:?}"), "rediss://a:1,[::1]:2/7?key={shop}:flags");
        let address = Address::new("redis+sentinel://:p@s1,s2:5000/main/3?sentinel_password=q").unwrap();
        assert_eq!(address.servers, [("s1".to_owned(), 26_379), ("s2".to_owned(), 5000)]);
        assert_eq!((address.service.as_deref(), address.database), (Some("main"), 3));
        assert_eq!((address.login.user, address.sentinel_login.password.as_deref()), (None, Some("q")));
    }

    #[test]
    fn mistakes_are_told_and_passwords_are_not() {
        for (text, why) in [
            ("redis://me:s3cret@", "HOST:PORT"),
            ("redis://me:s3cret@host:port/0", "HOST:PORT"),
            ("redis://me:s3cret@host/x", "database"),
            ("redis://me:s3cret@host/0?ky=a", "`ky` is not known"),
            ("redis://me:s3cret@host/0?key=", "the key has"),
            ("redis://me:s3cret@host/0?sentinel_password=a", "alone"),
            ("redis+sentinel://me:s3cret@host", "name the service"),
        ] {
            let error = Address::new(text).unwrap_err();
            assert!(error.contains(why) && !error.contains("s3cret"), "{text}: {error}");
        }
    }
}
