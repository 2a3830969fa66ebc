//! What is to be read and written, as it was typed. [`Tagger::new`](crate::Tagger::new) checks it.
//!
//! Each table of `flagstaff.toml` is read into the type here that is named after it.

use std::fmt;
use std::time::Duration;

use flagstaff_flags::typed;
use serde::{Deserialize, Serialize};

/// All settings; each part is a table of `flagstaff.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaggerSettings {
    /// `[headers]`: what the app gets.
    pub headers: HeaderSettings,
    /// `[visitor]`: the visitor's cookie.
    pub visitor: VisitorSettings,
    /// `[user]`: where the person comes from.
    pub user: UserSettings,
    /// `[trust]`: who is trusted, and with what.
    pub trust: TrustSettings,
    /// `[cache]`: what caches are told.
    pub cache: CacheSettings,
    /// `[exclude]`: who is never counted.
    pub exclude: ExcludeSettings,
    /// `[count]`: who is counted all the same.
    pub count: CountSettings,
    /// Secrets of at least 32 bytes. The first signs, all verify. None: one that ends with the process.
    pub keys: Vec<String>,
}

/// What the app gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeaderSettings {
    /// A header per flag, one for all, or both.
    pub send: SendFlags,
    /// Send flags that are off, too.
    pub off: bool,
    /// Write django-waffle's cookies toward the app, and drop the client's own and the app's.
    pub waffle: bool,
    /// What django-waffle calls its cookie of a flag: its `WAFFLE_COOKIE`.
    pub waffle_cookie: String,
    /// The same for the cookie of a test: its `WAFFLE_TEST_COOKIE`.
    pub waffle_test_cookie: String,
    /// With `waffle`: a visitor is exposed to a flag where an answer shows that django-waffle followed our cookie for it.
    pub waffle_confirms: bool,
    /// Sign what the app gets in `X-Flags-Signature`.
    pub sign: bool,
}

impl Default for HeaderSettings {
    fn default() -> Self {
        Self {
            send: SendFlags::Both,
            off: false,
            waffle: false,
            waffle_cookie: "dwf_%s".into(),
            waffle_test_cookie: "dwft_%s".into(),
            waffle_confirms: true,
            sign: false,
        }
    }
}

/// Which headers tell the flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SendFlags {
    /// `X-Flag-…` per flag, and `X-Flags`.
    #[default]
    Both,
    /// `X-Flag-…` per flag.
    Each,
    /// `X-Flags` alone.
    Compact,
}

/// The visitor's cookie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VisitorSettings {
    /// Its name.
    pub cookie: String,
    /// Hosts that share it: this domain and all below. None: the host that set it.
    pub domain: Option<String>,
    /// Send it over TLS only. None: when the request came over TLS.
    pub secure: Option<bool>,
    /// How long it lasts; at most 400 days, as browsers keep none longer.
    #[serde(with = "typed::duration")]
    pub max_age: Duration,
    /// The cookie without which none is set and nobody is counted: `consent=yes`, or `consent` for any value.
    pub consent_cookie: Option<String>,
    /// What of other sites browsers send our cookies with.
    pub same_site: SameSite,
    /// Which requests without an id are given one.
    pub issue_to: IssueTo,
}

/// What of other sites browsers send our cookies with (RFC 6265bis, 5.6.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SameSite {
    /// Links, and addresses that are typed.
    #[default]
    Lax,
    /// Nothing.
    Strict,
    /// Everything: frames and forms of other sites too. Needs `secure = true`.
    None,
}

impl SameSite {
    /// As `Set-Cookie` says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::Strict => "Strict",
            Self::None => "None",
        }
    }
}

/// Which requests without an id are given one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssueTo {
    /// Documents, and clients that do not say what they ask for: several requests that a page sends at once must not become several
    /// visitors.
    #[default]
    Documents,
    /// Every request. For an app whose pages come from elsewhere, so that only its scripts ask here.
    All,
}

impl Default for VisitorSettings {
    fn default() -> Self {
        Self {
            cookie: "flagstaff_visitor".into(),
            domain: None,
            secure: None,
            max_age: Duration::from_secs(365 * 24 * 60 * 60),
            consent_cookie: None,
            same_site: SameSite::Lax,
            issue_to: IssueTo::Documents,
        }
    }
}

/// Where the person comes from. What is configured is asked in this order; the first answer counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserSettings {
    /// A header of trusted peers with the person's id.
    pub header: Option<String>,
    /// The header with groups. None: beside `header`, `X-User-Id` → `X-User-Groups`.
    pub groups: Option<String>,
    /// The header with roles. None: beside `header`, `X-User-Id` → `X-User-Roles`.
    pub roles: Option<String>,
    /// A signed token.
    pub jwt: Option<JwtSettings>,
    /// The app answers `X-Flag-Identify`. None: no.
    pub identify: Option<bool>,
    /// How long that holds unless it says so again; at most 400 days.
    #[serde(with = "typed::duration")]
    pub max_age: Duration,
}

impl Default for UserSettings {
    fn default() -> Self {
        Self {
            header: None,
            groups: None,
            roles: None,
            jwt: None,
            identify: None,
            max_age: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// A signed token (RFC 7519) that says who asks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JwtSettings {
    /// The cookie it is in.
    pub cookie: Option<String>,
    /// The header it is in, after `Bearer` or alone. Without `cookie` and `header`: `Authorization`.
    pub header: Option<String>,
    /// Files with a secret or a public key each. The tagger reads no files: the program puts what they hold into `keys`.
    #[serde(deserialize_with = "typed::list")]
    pub key_files: Vec<String>,
    /// Secrets as they stand in a settings file, for `keys` as well.
    #[serde(deserialize_with = "typed::list")]
    pub secrets: Vec<String>,
    /// Files and secrets mixed, as older settings files have them under `keys`.
    #[serde(rename = "keys", deserialize_with = "typed::list")]
    pub mixed_keys: Vec<String>,
    /// Secrets (HS256, at least 32 bytes) and public keys in PEM (RS256, ES256). Each key verifies its own algorithm only.
    #[serde(skip)]
    pub keys: Vec<JwtKey>,
    /// The claim with the person's id.
    pub claim: String,
    /// The claim with groups: a list, or words with commas or spaces between.
    pub groups: String,
    /// The claim with roles.
    pub roles: String,
    /// What `iss` must be.
    pub issuer: Option<String>,
    /// What `aud` must be or contain.
    pub audience: Option<String>,
}

/// Without the secrets.
impl fmt::Debug for JwtSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtSettings")
            .field("cookie", &self.cookie)
            .field("header", &self.header)
            .field("keys", &self.keys)
            .field("claim", &self.claim)
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

impl Default for JwtSettings {
    fn default() -> Self {
        Self {
            cookie: None,
            header: None,
            key_files: Vec::new(),
            secrets: Vec::new(),
            mixed_keys: Vec::new(),
            keys: Vec::new(),
            claim: "sub".into(),
            groups: "groups".into(),
            roles: "roles".into(),
            issuer: None,
            audience: None,
        }
    }
}

/// A secret or a public key that verifies tokens, and where it was said.
#[derive(Clone, PartialEq, Eq)]
pub struct JwtKey {
    text: String,
    at: Vec<String>,
}

impl JwtKey {
    /// A key that was said at a place of the settings, for messages about it.
    pub fn at(text: String, at: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { text, at: at.into_iter().map(Into::into).collect() }
    }

    /// The secret, or the public key in PEM.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The keys that lead to its place.
    pub(crate) fn place(&self) -> &[String] {
        &self.at
    }
}

impl From<&str> for JwtKey {
    fn from(text: &str) -> Self {
        Self::at(text.into(), ["user", "jwt", "keys"])
    }
}

/// Never the key itself.
impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwtKey of {}", self.at.join("."))
    }
}

/// Who is trusted, and with what. Addresses and upstreams are of use to a proxy only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrustSettings {
    /// Addresses or ranges whose `X-Forwarded-*` and `Forwarded` count.
    #[serde(deserialize_with = "typed::list")]
    pub addresses: Vec<String>,
    /// The header with the visitor's country, such as `CF-IPCountry`.
    pub country_header: Option<String>,
    /// Which upstreams flags may name for variants: ranges, names with `*`, `unix:` paths; none: all but link-local addresses. The
    /// proxy's own addresses are never among them.
    #[serde(deserialize_with = "typed::list")]
    pub upstreams: Vec<String>,
    /// Write `Forwarded` (RFC 7239) besides `X-Forwarded-*`.
    pub forwarded: bool,
}

/// What caches are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheSettings {
    /// About a response that a shared cache may keep although it may differ by flag.
    pub when_flags_differ: WhenFlagsDiffer,
}

/// What becomes of a response that a shared cache may keep although it may differ by flag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenFlagsDiffer {
    /// It gets `Vary`, with the headers that the flags are decided by.
    #[default]
    Vary,
    /// It gets `Cache-Control: private`.
    Private,
    /// Nothing.
    Ignore,
}

/// Who gets decisions but is never counted, besides bots and prefetches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExcludeSettings {
    /// Paths, with `*`.
    #[serde(deserialize_with = "typed::list")]
    pub paths: Vec<String>,
    /// Visitors' addresses and ranges.
    #[serde(deserialize_with = "typed::list")]
    pub addresses: Vec<String>,
    /// User agents, with `*`, in any case.
    #[serde(deserialize_with = "typed::list")]
    pub user_agents: Vec<String>,
    /// Headers that mark what is fetched ahead, besides those that are known: `X-Preload`, or `X-Why: preload` for one value.
    #[serde(deserialize_with = "typed::list")]
    pub prefetch_headers: Vec<String>,
}

/// Who is counted although a list of ours takes it for a program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CountSettings {
    /// User agents, with `*`, in any case.
    #[serde(deserialize_with = "typed::list")]
    pub user_agents: Vec<String>,
}
