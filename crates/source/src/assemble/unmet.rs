//! Conditions and requests that nothing ever meets, although each of them can be read.

use flagstaff_flags::{Key, is_method, method_meant, plain_host};
use jiff::Timestamp;
use toml::de::{DeTable, DeValue};

use crate::decode::tree::Value;
use crate::findings::Finding;

/// What is wrong with a word, and what to write instead.
type Wrong = (String, String);

/// The warnings of a whole document.
pub(crate) fn unmet(root: &Value<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (name, flag) in parts(root, "flags") {
        let before = found.len();
        of_flag(flag, &mut found);
        found.iter_mut().skip(before).for_each(|finding| finding.flag = Some(name.to_owned()));
    }
    for (_, segment) in parts(root, "segments") {
        each(segment.get("any")).filter_map(table).for_each(|conditions| of_conditions(conditions, &mut found));
    }
    for (_, goal) in parts(root, "goals") {
        of_words(goal.get("on"), wrong_request, &mut found);
    }
    found
}

/// The tables of a section, with their names.
fn parts<'v, 't>(root: &'v Value<'t>, section: &str) -> impl Iterator<Item = (&'v str, &'v DeTable<'t>)> {
    let section = table(root).and_then(|root| root.get(section)).and_then(table);
    section.into_iter().flatten().filter_map(|(key, part)| Some((key.get_ref().as_ref(), table(part)?)))
}

fn table<'v, 't>(value: &'v Value<'t>) -> Option<&'v DeTable<'t>> {
    value.get_ref().as_table()
}

/// The elements of a list, or the one value that stands in its place.
fn each<'v, 't>(value: Option<&'v Value<'t>>) -> impl Iterator<Item = &'v Value<'t>> {
    let (list, one) = match value.map(|value| (value, value.get_ref())) {
        Some((_, DeValue::Array(list))) => (Some(list), None),
        Some((value, _)) => (None, Some(value)),
        None => (None, None),
    };
    list.into_iter().flatten().chain(one)
}

fn of_flag(flag: &DeTable<'_>, found: &mut Vec<Finding>) {
    let rules = each(flag.get("rules")).filter_map(table);
    rules.filter_map(|rule| table(rule.get("if")?)).for_each(|conditions| of_conditions(conditions, found));
    for people in ["allow", "deny"] {
        let languages = flag.get(people).and_then(table).and_then(|people| people.get("languages"));
        of_words(languages, wrong_language, found);
    }
    of_words(flag.get("exposed_on"), wrong_request, found);
}

fn of_conditions(conditions: &DeTable<'_>, found: &mut Vec<Finding>) {
    for (key, value) in conditions {
        let wrong = match Key::new(key.get_ref()) {
            Ok(Key::Host) => wrong_host,
            Ok(Key::Path) => wrong_path,
            Ok(Key::Language) => wrong_language,
            Ok(Key::Country) => wrong_country,
            Ok(Key::Method) => wrong_method,
            _ => continue,
        };
        let words = table(value).map_or(Some(value), |bounds| bounds.get("not"));
        of_words(words, wrong, found);
    }
    found.extend(no_time_between(conditions));
}

fn of_words(words: Option<&Value<'_>>, wrong: fn(&str) -> Option<Wrong>, found: &mut Vec<Finding>) {
    let told = |word: &Value<'_>| {
        let (message, help) = wrong(word.get_ref().as_str()?)?;
        Some(Finding::error(word.span(), message).help(help).warning())
    };
    found.extend(each(words).filter_map(told));
}

fn no_time_between(conditions: &DeTable<'_>) -> Option<Finding> {
    let time = |key: &str| conditions.get(key)?.get_ref().as_str()?.parse::<Timestamp>().ok();
    let never = time("after")? >= time("before")?;
    let span = conditions.get("after").filter(|_| never)?.span();
    let finding = Finding::error(span, "`after` is not before `before`, so there is no time at which both hold");
    Some(finding.help("write the earlier time at `after`").warning())
}

fn wrong_host(word: &str) -> Option<Wrong> {
    let plain = plain_host(word);
    if word.contains('/') {
        return Some((format!("`{word}` fits no host"), "write the host alone, such as \"shop.example.com\"".into()));
    }
    let is_longer = plain.len() < word.len();
    is_longer.then(|| {
        (format!("`{word}` fits no host: it is compared without port and final dot"), format!("write \"{plain}\""))
    })
}

fn wrong_path(word: &str) -> Option<Wrong> {
    let fits = word.starts_with(['/', '*']);
    (!fits).then(|| (format!("`{word}` fits no path: a path begins with /"), format!("write \"/{word}\"")))
}

fn wrong_language(word: &str) -> Option<Wrong> {
    let message = || format!("`{word}` fits no language that a browser sends");
    if word.contains('*') && word != "*" {
        let whole = word.split(['*', '-', '_']).next().unwrap_or_default();
        let help = if whole.is_empty() { "write \"de\"" } else { &format!("write \"{whole}\"") };
        return Some((message(), format!("{help}, which includes its regions")));
    }
    word.contains('_').then(|| (message(), format!("write \"{}\"", word.replace('_', "-"))))
}

/// Two letters, or a letter and a digit: some networks have a code of their own, as `T1` for Tor.
fn wrong_country(word: &str) -> Option<Wrong> {
    let fits = word.contains('*') || (word.len() == 2 && word.bytes().all(|b| b.is_ascii_alphanumeric()));
    (!fits).then(|| {
        let message = format!("`{word}` fits no country: a country is two letters");
        (message, "write its code of ISO 3166, such as \"DE\"".into())
    })
}

fn wrong_method(word: &str) -> Option<Wrong> {
    if word.contains('*') || is_method(word) {
        return None;
    }
    let help = match method_meant(word) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "write GET, POST, PUT, PATCH, DELETE or another method of HTTP".into(),
    };
    Some((format!("HTTP knows no method `{word}`"), help))
}

/// Of requests such as `GTE /contact*`, the method.
fn wrong_request(text: &str) -> Option<Wrong> {
    wrong_method(text.trim().split_once(' ')?.0)
}
