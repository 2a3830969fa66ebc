//! Programs that take the same visitor for another, or what holds in one environment for what holds in all.

use flagstaff_ledger::{PRESENCE_BEAT, Program, SeenProgram};

/// A program that has not been there for so many beats is silent.
pub const MISSED_BEATS: u32 = 3;
/// Strangers at most that are told one by one.
const MAX_TOLD: usize = 5;

/// Programs of the same environment whose keys or cookies are others, and those of another environment, each in a sentence. Programs that
/// were not seen since this one began are gone.
#[must_use]
pub fn strangers(own: &Program, all: &[SeenProgram]) -> Vec<String> {
    let others =
        all.iter().filter(|other| other.program.id != own.id && is_there(other) && other.seen >= own.started);
    let mut told: Vec<_> = others.filter_map(|other| between(own, &other.program)).collect();
    told.sort();
    let more = told.len().saturating_sub(MAX_TOLD);
    told.truncate(MAX_TOLD);
    told.extend((more > 0).then(|| format!("and {more} more programs have other settings than this one")));
    told
}

/// Whether another program of the same environment is there whose flags are others.
#[must_use]
pub fn has_other_flags(own: &Program, all: &[SeenProgram]) -> bool {
    let has_others = |other: &Program| {
        other.environment == own.environment && other.revision != own.revision && other.id != own.id
    };
    all.iter().any(|other| is_there(other) && has_others(&other.program))
}

/// Whether a program was seen lately.
pub(super) fn is_there(seen: &SeenProgram) -> bool {
    seen.seconds_ago <= (MISSED_BEATS * PRESENCE_BEAT).as_secs()
}

/// What differs between two programs and must not.
fn between(own: &Program, other: &Program) -> Option<String> {
    let name = format!("the program {} on {}", other.process, other.host);
    if own.environment != other.environment {
        let environment =
            other.environment.as_ref().map_or("no environment".into(), |name| format!("environment `{name}`"));
        return Some(format!(
            "{name} is of {environment} and has the same ledger as this one, so what its visitors do counts here, and a rollback or a step \
             there holds here too; give each environment a ledger of its own"
        ));
    }
    if own.identity == other.identity {
        return None;
    }
    let parts = |program: &Program| {
        let (keys, cookies) = program.identity.split_once('-').unwrap_or((&program.identity, ""));
        (keys.to_owned(), cookies.to_owned())
    };
    if parts(own).0 == parts(other).0 {
        return Some(format!(
            "{name} has other settings of [visitor] than this one, so one browser is two visitors; give all programs the same"
        ));
    }
    Some(format!(
        "{name} signs with other keys than this one, so neither takes the cookies and links of the other; give all programs the same \
         keys: FLAGSTAFF_KEYS or keys_file"
    ))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn program(id: &str, identity: &str) -> Program {
        Program {
            id: id.into(),
            host: "a".into(),
            process: 7,
            version: "1".into(),
            environment: None,
            source: "flags.toml".into(),
            revision: "r".into(),
            problem: None,
            identity: identity.into(),
            started: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn other_flags_count_where_a_program_of_the_same_environment_is_there() {
        let own = program("own", "k");
        let other = Program { id: "other".into(), revision: "s".into(), ..own.clone() };
        let has = |program: Program, seconds_ago| {
            has_other_flags(&own, &[SeenProgram { program, seen: Timestamp::UNIX_EPOCH, seconds_ago }])
        };
        assert!(has(other.clone(), 0) && has(other.clone(), 29));
        assert!(!has(other.clone(), 31), "it is gone");
        assert!(!has(Program { revision: "r".into(), ..other.clone() }, 0), "it has the same");
        assert!(!has(Program { id: "own".into(), ..other.clone() }, 0), "it is this one, a moment ago");
        assert!(
            !has(Program { environment: Some("test".into()), ..other }, 0),
            "another environment has other flags"
        );
    }

    #[test]
    fn those_with_other_keys_or_cookies_are_told_and_those_that_are_gone_are_not() {
        let seen = |id: &str, identity: &str, seconds_ago| SeenProgram {
            program: program(id, identity),
            seen: Timestamp::UNIX_EPOCH,
            seconds_ago,
        };
        let own = program("own", "k1-c1");
        let told = |all: &[SeenProgram]| strangers(&own, all);
        assert!(told(&[seen("own", "k1-c1", 0), seen("same", "k1-c1", 0), seen("gone", "k2-c1", 600)]).is_empty());
        assert!(told(&[seen("keys", "k2-c1", 0)])[0].contains("other keys"));
        assert!(told(&[seen("cookies", "k1-c2", 0)])[0].contains("[visitor]"));
        let elsewhere = Program { environment: Some("test".into()), ..program("test", "k2-c2") };
        let elsewhere = SeenProgram { program: elsewhere, seen: Timestamp::UNIX_EPOCH, seconds_ago: 0 };
        let notices = told(&[elsewhere]);
        assert!(
            matches!(&notices[..], [one] if one.contains("environment `test`")),
            "keys of its own are fine: {notices:?}"
        );
        let many: Vec<_> = (0..9).map(|i| seen(&i.to_string(), "k2-c1", 0)).collect();
        assert_eq!(told(&many).len(), MAX_TOLD + 1);
    }
}
