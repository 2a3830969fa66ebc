//! What a line asks for, whatever it names.

use std::sync::LazyLock;

use regex::Regex;

use super::spellings::AskedAs;

/// Headers that begin as those of flags do and are not about one flag, as names.
const OTHER_HEADERS: [&str; 4] = ["event", "exposed", "identify", "override"];

/// The header of a flag in any spelling. What stands before it is looked at by [`header`]: `HTTP_` may.
const HEADER: &str = r"(?i)(?P<before>[a-z0-9]?)x(?:-flag-|_flag_)(?P<name>[a-z0-9_-]*)";

/// Calls, tags and cookies of django-waffle, for its flags, switches and samples, which all are flags here. The name is what django-waffle calls
/// them.
const WAFFLE: [&str; 5] = [
    // what may stand before the name is the request, or the user
    r#"\b(?:(?:flag|switch|sample)_is_active|flag_is_active_for_user)\s*\(\s*(?:(?:[\w.()]|\[["']\w+["']\])+\s*,\s*)?["'](?P<name>[\w.:-]+)["']"#,
    // `"!name"` asks for a flag that is off
    r#"\b(?:waffle_(?:flag|switch|sample)\s*(?:\(|=)|override_(?:flag|switch|sample)\s*\(|flag_permission\s*\(|waffle\.(?:flag|switch|sample)\s*\()\s*["']!?(?P<name>[\w.:-]+)["']"#,
    r#"\{%-?\s*(?:flag|switch|sample)\s+["'](?P<name>[\w.:-]+)["']"#,
    r"\bdwft?_(?P<name>[\w.-]+)",
    // a name without quotes may be a variable, which `is_sure` says
    r"\{%-?\s*(?:flag|switch|sample)\s+(?P<variable>[A-Za-z_][\w.-]*)",
];

/// Calls of clients of ours, and of the script for pages: docs/python.md, docs/node.md, docs/rust.md and docs/headers.md have them.
const CALLS: [&str; 5] = [
    r#"\bis_on\s*\(\s*&?["'`](?P<name>\w+)["'`]"#,
    r#"\b(?:flags|flagstaff)\s*\??\.\s*(?:isOn|variant|value)\s*\(\s*&?["'`](?P<name>\w+)["'`]"#,
    r#"\b(?:request|req|g)\.flags\s*(?:\[|\.get\s*\()\s*["'](?P<name>\w+)["']"#,
    r#"["'](?P<name>\w+)["']\s+(?:not\s+)?in\s+(?:request|g)\.flags\b"#,
    r"\b(?:request|g)\.flags\.(?P<attribute>[a-z]\w*)",
];

/// What `request.flags` has that is no flag.
const MEMBERS: [&str; 9] =
    ["as_dict", "from_dict", "get", "isOn", "is_on", "source", "undecided", "variant", "visitor"];

/// The header that has all flags, and not the one that signs it.
const ALL_FLAGS: &str = r"(?i)(?:^|[^a-z0-9])x[-_]flags(?:$|[^a-z0-9_-])";

/// What makes a line worth a look, as one expression for a search through files.
const WORTH_A_LOOK: [&str; 5] = [
    r"(?i:x[-_]flag)",
    r"waffle|(?:override_(?:flag|switch|sample)|(?:flag|switch|sample)_is_active)|flag_permission",
    r"\bdwft?_",
    r"%-?\s*(?:flag|switch|sample)\s",
    r"\bis_on\s*\(|\b(?:request|req|g)\.flags|\b(?:flags|flagstaff)\s*\??\.\s*(?:isOn|variant|value)\s*\(",
];

/// A flag that a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ask<'l> {
    pub(super) kind: AskedAs,
    /// The name: of the flag, or of django-waffle's where the kind says so.
    pub(super) name: Name<'l>,
}

/// What a line names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name<'l> {
    /// The end of a header, as a flag's name.
    Header(String),
    /// As it stands there.
    Plain(&'l str),
    /// As it stands there, but it may be the name of a variable.
    Variable(&'l str),
}

/// What to search files for, besides names.
pub(super) fn worth_a_look() -> String {
    WORTH_A_LOOK.join("|")
}

/// What a line asks for, except the flags that only their names tell.
pub(super) fn asks(line: &str) -> Vec<Ask<'_>> {
    let mut all: Vec<_> =
        HEADERS.iter().flat_map(|header| header.captures_iter(line)).filter_map(|found| header(&found)).collect();
    for (kind, patterns) in [(AskedAs::Waffle, &*WAFFLE_PATTERNS), (AskedAs::Call, &*CALL_PATTERNS)] {
        for found in patterns.iter().flat_map(|pattern| pattern.captures_iter(line)) {
            let attribute = found.name("attribute").filter(|name| !MEMBERS.contains(&name.as_str()));
            let plain = found.name("name").or(attribute).map(|name| Name::Plain(name.as_str()));
            let name = plain.or_else(|| found.name("variable").map(|name| Name::Variable(name.as_str())));
            all.extend(name.map(|name| Ask { kind, name }));
        }
    }
    all
}

/// Whether a line reads all flags.
pub(super) fn reads_all(line: &str) -> bool {
    ALL.iter().any(|pattern| pattern.is_match(line))
}

/// A header's flag. One that is put together at run time (`"X-Flag-" + name`) names none.
fn header<'l>(found: &regex::Captures<'_>) -> Option<Ask<'l>> {
    let is_inside_a_word = found.name("before").is_some_and(|before| !before.as_str().is_empty());
    let name = found.name("name")?.as_str().to_ascii_lowercase().replace('-', "_");
    let is_whole = name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('_');
    (is_whole && !is_inside_a_word && !OTHER_HEADERS.contains(&name.as_str()))
        .then_some(Ask { kind: AskedAs::Header, name: Name::Header(name) })
}

static HEADERS: LazyLock<Vec<Regex>> = LazyLock::new(|| compiled(&[HEADER]));
static WAFFLE_PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| compiled(&WAFFLE));
static CALL_PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| compiled(&CALLS));
static ALL: LazyLock<Vec<Regex>> = LazyLock::new(|| compiled(&[ALL_FLAGS]));

/// A test holds that all of them are expressions.
fn compiled(patterns: &[&str]) -> Vec<Regex> {
    patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Vec<String> {
        let name = |name| match name {
            Name::Header(name) => name,
            Name::Plain(name) => name.to_owned(),
            Name::Variable(name) => format!("?{name}"),
        };
        asks(line).into_iter().map(|ask| format!("{:?} {}", ask.kind, name(ask.name))).collect()
    }

    #[test]
    fn every_pattern_is_an_expression() {
        assert_eq!(compiled(&[&WAFFLE[..], &CALLS, &[HEADER, ALL_FLAGS], &WORTH_A_LOOK].concat()).len(), 17);
    }

    #[test]
    fn what_is_asked_for_is_told_from_what_looks_like_it() {
        for (line, wanted) in [
            ("request.headers.get(\"X-Flag-New-Form\")", "Header new_form"),
            ("request.META['HTTP_X_FLAG_NEW_FORM']", "Header new_form"),
            ("if ($http_x_flag_new_form = on) {", "Header new_form"),
            ("headers['x-flag-new-form'] || h['X-Flag-B2']", "Header new_form, Header b2"),
            ("fetch(h['X-Flag-' + name]) + 'X-Flag-New-' + which", ""),
            ("X-Flag-Event: paid; X-Flags; max-flag-size; max_flag_b", ""),
            ("request.COOKIES['dwf_new.Form'] dwft_new_form", "Waffle new.Form, Waffle new_form"),
            ("if flag_is_active(request, \"a\") or waffle.flag_is_active('b'):", "Waffle a, Waffle b"),
            ("@waffle_flag('a')", "Waffle a"),
            ("    waffle_flag = \"!a\"  # [flag_permission('!b')]", "Waffle a, Waffle b"),
            ("with override_flag('a', active=True):", "Waffle a"),
            ("{% flag \"a\" %}{%- flag 'b' %}", "Waffle a, Waffle b"),
            ("{% flag which %}", "Waffle ?which"),
            ("{% if waffle.flag('a') %}", "Waffle a"),
            ("if switch_is_active('a') and waffle.sample_is_active(\"b\"):", "Waffle a, Waffle b"),
            (
                "waffle.flag_is_active(info.context['request'], 'a') or flag_is_active(self.request(), \"b.C\")",
                "Waffle a, Waffle b.C",
            ),
            ("flag_is_active_for_user(order.user, 'a')", "Waffle a"),
            ("@waffle_switch('!a')", "Waffle a"),
            ("    waffle_switch = 'a'; waffle_sample = \"b\"", "Waffle a, Waffle b"),
            ("@override_switch('a', True) @override_sample('b', active=False)", "Waffle a, Waffle b"),
            ("{% switch 'a' %}{%- sample \"b\" %}{% switch which %}", "Waffle a, Waffle b, Waffle ?which"),
            ("{% if waffle.switch('a') or waffle.sample('b') %}", "Waffle a, Waffle b"),
            ("switch('a'); sample(\"b\"); is_active('c')", ""),
            ("if flags.is_on(\"a\") { switch.is_on() }", "Call a"),
            ("request.flags[\"a\"] or request.flags.get('b')", "Call a, Call b"),
            ("g.flags.variant('a', 'b') or msg.flags['c']", "Call a"),
            ("if request.flags.a and g.flags.is_on('b'): request.flags.visitor", "Call b, Call a"),
            ("request.flags.isOn(name) && request.flags.source", ""),
            ("'a' in request.flags or \"b\" not in g.flags", "Call a, Call b"),
            ("req.flags.isOn(\"a\") || req.flags?.variant('b', 'x') || req.flags['c']", "Call a, Call b, Call c"),
            ("flagstaff.variant(`a`); flagstaff.value(\"b\"); flagstaff.is_on('c')", "Call c, Call a, Call b"),
            ("flags.variant(\"a\"); let on = flags.is_on(\"b\");", "Call b, Call a"),
            ("isOn('a'); lamp.isOn('b'); new flags.Variant('c')", ""),
            ("flags = parser.flags[\"verbose\"]; red_flag('x')", ""),
        ] {
            assert_eq!(told(line).join(", "), wanted, "{line}");
        }
        for (line, wanted) in
            [("h['X-Flags']", true), ("HTTP_X_FLAGS", true), ("X-Flags-Signature", false), ("max-flags", false)]
        {
            assert_eq!(reads_all(line), wanted, "{line}");
        }
    }

    #[test]
    fn a_search_stops_at_every_line_that_asks() {
        let search = Regex::new(&worth_a_look()).unwrap();
        for line in [
            "X_FLAG_A",
            "x-flags",
            "{% flag a %}",
            "dwf_a",
            "@waffle_flag('a')",
            "s.is_on('a')",
            "request.flags['a']",
            "request.flags.a",
            "req.flags.isOn('a')",
            "flagstaff.value('a')",
            "flags.variant(\"a\")",
            "g.flags['a']",
            "[flag_permission('a')]",
            "switch_is_active('a')",
            "sample_is_active('a')",
            "override_switch('a')",
            "{% sample a %}",
        ] {
            assert!(search.is_match(line), "{line}");
        }
    }
}
