//! What waffle decides itself where it runs behind the proxy: it looks at the proxy's cookie last.

use std::fmt;

use flagstaff_flags::{Audience, Flag};
use serde::Serialize;

use super::tables::{FlagRow, Named, WaffleTables};

/// What waffle's table does to flags of the flag file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WaffleCheck {
    /// How many flags both have.
    pub flags: usize,
    /// What waffle decides itself, in the order of the flag file.
    pub findings: Vec<WaffleFinding>,
    /// Flags that waffle alone has: they stay with it.
    pub only_in_waffle: Vec<String>,
    /// How many switches waffle has; a switch never looks at a cookie.
    pub switches: usize,
    /// How many samples waffle has; a sample never looks at a cookie.
    pub samples: usize,
}

/// One thing that waffle decides itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaffleFinding {
    /// The flag.
    pub flag: String,
    /// Its name in waffle.
    pub waffle_name: String,
    /// What it is.
    pub kind: WaffleFindingKind,
    /// What waffle does.
    pub sentence: String,
    /// How it is mended.
    pub mend: String,
}

/// What of waffle's row decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WaffleFindingKind {
    /// Waffle has no such flag.
    Missing,
    /// On or off for everyone.
    Everyone,
    /// No percentage, or 0.
    Percent,
    /// A visitor may choose.
    Testing,
    /// Languages.
    Languages,
    /// Everybody who is logged in.
    Authenticated,
    /// Staff.
    Staff,
    /// Superusers.
    Superusers,
    /// Users.
    Users,
    /// Groups.
    Groups,
}

impl fmt::Display for WaffleFindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Everyone => "everyone",
            Self::Percent => "percent",
            Self::Testing => "testing",
            Self::Languages => "languages",
            Self::Authenticated => "authenticated",
            Self::Staff => "staff",
            Self::Superusers => "superusers",
            Self::Users => "users",
            Self::Groups => "groups",
        })
    }
}

/// Compares waffle's tables with the flags of a flag file.
#[must_use]
pub fn check<'f>(tables: &WaffleTables, flags: impl IntoIterator<Item = &'f Flag>) -> WaffleCheck {
    let mut checked =
        WaffleCheck { switches: tables.switches.len(), samples: tables.samples.len(), ..WaffleCheck::default() };
    let mut shared = Vec::new();
    for flag in flags {
        let is = |name: &str| name == flag.waffle_name();
        let elsewhere =
            || tables.switches.iter().any(|one| is(&one.name)) || tables.samples.iter().any(|one| is(&one.name));
        match tables.flag(flag.waffle_name()) {
            Some(row) => {
                shared.push(flag.waffle_name());
                let findings = findings(row, flag);
                checked
                    .findings
                    .extend(findings.into_iter().map(|(kind, sentence, mend)| of(flag, kind, sentence, mend)));
            }
            // a switch or sample is asked for without a visitor: the flag file is not
            None if elsewhere() => checked.findings.push(elsewhere_decided(flag)),
            None => checked.findings.push(missing(flag)),
        }
    }
    checked.flags = shared.len();
    let only = tables.flags.iter().filter(|row| !shared.contains(&row.name.as_str()));
    checked.only_in_waffle = only.map(|row| row.name.clone()).collect();
    checked
}

fn of(flag: &Flag, kind: WaffleFindingKind, sentence: String, mend: String) -> WaffleFinding {
    WaffleFinding { flag: flag.name.to_string(), waffle_name: flag.waffle_name().into(), kind, sentence, mend }
}

fn missing(flag: &Flag) -> WaffleFinding {
    let name = flag.waffle_name();
    let sentence =
        "waffle has no such flag, so it is off there (WAFFLE_FLAG_DEFAULT) whatever the flag file says".into();
    of(
        flag,
        WaffleFindingKind::Missing,
        sentence,
        format!("python manage.py waffle_flag {} --create --percent 1", quoted(name)),
    )
}

fn elsewhere_decided(flag: &Flag) -> WaffleFinding {
    let sentence = "it is a switch or a sample there, which waffle decides without any cookie".into();
    let mend = "have the code ask for a flag: flag_is_active(request, …); or leave it to waffle and take it out of the flag file".into();
    of(flag, WaffleFindingKind::Missing, sentence, mend)
}

type Said = (WaffleFindingKind, String, String);

/// What one row decides before it looks at the proxy's cookie.
fn findings(row: &FlagRow, flag: &Flag) -> Vec<Said> {
    if let Some(on) = row.everyone {
        let word = if on { "on" } else { "off" };
        return vec![(
            WaffleFindingKind::Everyone,
            format!("it is {word} for everyone there, and nothing else counts"),
            plain(row),
        )];
    }
    let mut all = Vec::new();
    if row.testing {
        let sentence = "any visitor can choose with ?dwft_NAME=1 there (testing)".replace("NAME", &row.name);
        all.push((
            WaffleFindingKind::Testing,
            sentence,
            format!("{}; testing = true in the flag file does the same", plain(row)),
        ));
    }
    all.extend(named(row, flag));
    if row.percent.is_none() {
        let sentence =
            "it has no percentage there, so waffle never looks at the proxy's cookie: off for all others".into();
        all.push((WaffleFindingKind::Percent, sentence, plain(row)));
    }
    all
}

/// The people for whom it is on in waffle, unless the flag file says so too.
fn named(row: &FlagRow, flag: &Flag) -> Vec<Said> {
    let allow = flag.allow.as_ref().filter(|_| flag.enabled);
    let has = |says: &dyn Fn(&Audience) -> bool| allow.is_some_and(says);
    let role = |role: &str| has(&|allow| allow.roles.contains(role));
    let known = has(&|allow| allow.authenticated);
    let all = |named: &Named, of: &dyn Fn(&Audience, &String) -> bool| {
        named.unknown.is_empty() && named.known.iter().all(|who| has(&|allow| of(allow, who)))
    };
    let languages = row.languages.iter().all(|one| has(&|allow| allow.languages.contains(one)));
    let asked = [
        (
            WaffleFindingKind::Languages,
            !row.languages.is_empty(),
            languages,
            format!("visitors whose language is {}", row.languages.join(", ")),
        ),
        (WaffleFindingKind::Authenticated, row.authenticated, known, "everybody who is logged in".into()),
        (WaffleFindingKind::Staff, row.staff, known || role("staff"), "staff".into()),
        (WaffleFindingKind::Superusers, row.superusers, known || role("superuser"), "superusers".into()),
        (
            WaffleFindingKind::Users,
            row.users != Named::default(),
            known || all(&row.users, &|allow, who| allow.users.contains(who)),
            format!("the users {}", listed(&row.users)),
        ),
        (
            WaffleFindingKind::Groups,
            row.groups != Named::default(),
            known || all(&row.groups, &|allow, who| allow.groups.contains(who)),
            format!("the groups {}", listed(&row.groups)),
        ),
    ];
    let decided = asked.into_iter().filter(|(_, is_there, is_said, _)| *is_there && !is_said);
    decided
        .map(|(kind, _, _, who)| {
            (kind, format!("it is on for {who} there, whatever the flag file says"), mend(kind, row))
        })
        .collect()
}

fn mend(kind: WaffleFindingKind, row: &FlagRow) -> String {
    let same = match kind {
        WaffleFindingKind::Staff => "allow = { roles = [\"staff\"] }",
        WaffleFindingKind::Superusers => "allow = { roles = [\"superuser\"] }",
        WaffleFindingKind::Authenticated => "allow = { authenticated = true }",
        _ => "`allow`",
    };
    let there = match kind {
        WaffleFindingKind::Users | WaffleFindingKind::Groups | WaffleFindingKind::Languages => {
            format!("clear its {kind} on waffle's admin page")
        }
        _ => plain(row),
    };
    format!("{there}; or name them in the flag file too, with {same}")
}

/// The command that leaves of a row what follows the proxy. It sets all that it is not told to nothing, but for users, groups and languages.
fn plain(row: &FlagRow) -> String {
    format!("python manage.py waffle_flag {} --percent 1", quoted(&row.name))
}

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    let is_plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    if is_plain { name.into() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}

/// The first few, as text.
fn listed(named: &Named) -> String {
    const SHOWN: usize = 5;
    let all: Vec<_> = named.known.iter().chain(&named.unknown).collect();
    let shown = all.iter().take(SHOWN).map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
