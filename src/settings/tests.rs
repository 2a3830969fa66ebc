//! Any slip in a settings file is told or does no harm.

use fastrand::Rng;
use flagstaff_tag::{Tagger, TaggerSettings};

use super::*;

/// Values that somebody could write, or paste, behind a key where they are wrong.
const ODD: [&str; 16] = [
    "-1",
    "0",
    "1e999",
    "nan",
    "9223372036854775807",
    "99999999999999999999",
    "true",
    "\"\"",
    "\"\\u0000\"",
    "\"ü/%s\\n\"",
    "\"https://[::1\"",
    "\"99999999999999d\"",
    "[]",
    "[\"\", 1]",
    "{}",
    "1979-05-27",
];
const CASES: usize = 1_000;
const SECRET: &str = "a secret of at least thirty-two bytes";

/// The example of the settings, with each key that stands behind a mark, but for files that are not there.
fn example() -> String {
    let text = include_str!("../../config/flagstaff.toml");
    let unmarked = |line: &'static str| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') || rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => {
            rest
        }
        _ => line,
    };
    let is_here = |line: &&str| !["keys_file", "upgrade_socket"].iter().any(|key| line.starts_with(key));
    let text = text.lines().map(unmarked).filter(is_here).collect::<Vec<_>>().join("\n");
    // the certificate needs an address, and a token a key
    let text = text.replace("[\"127.0.0.1:8080\"]", "[\"https://127.0.0.1:8080\"]");
    text.replace("key_files = [\"jwt.pem\"]", &format!("secrets = [\"{SECRET}\"]"))
}

/// A place where a character begins.
fn place(text: &str, dice: &mut Rng) -> usize {
    (0..=dice.usize(..=text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// The text with one slip: a piece left out, a piece twice, or an odd value.
fn slipped(text: &str, dice: &mut Rng) -> String {
    let (one, other) = (place(text, dice), place(text, dice));
    let far = (one + 40).min(text.len());
    let end = (one..=far).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(one);
    match dice.u8(..3) {
        0 => [&text[..one], &text[end..]].concat(),
        1 => [&text[..other], &text[one..end], &text[other..]].concat(),
        _ => {
            let number = dice.usize(..text.lines().count().max(1));
            let odd = ODD[dice.usize(..ODD.len())];
            let of = |(i, line): (usize, &str)| match line.split_once(" = ").filter(|_| i == number) {
                Some((key, _)) => format!("{key} = {odd}\n"),
                None => format!("{line}\n"),
            };
            text.lines().enumerate().map(of).collect()
        }
    }
}

/// All that is made of settings before anything starts. What is wrong is told in words.
fn told(text: &str) -> Result<(), String> {
    let read = flagstaff_source::read::<typed::SettingsFile>(Text { name: "flagstaff.toml", bytes: text.as_bytes() });
    let (typed, spans) = read.map_err(|report| shown(&report).to_string())?;
    let settings = Settings { typed, spans: Some(spans), overrides: Vec::new() };
    let in_words = |problems| settings.report(problems).to_string();
    checked::ledger(&settings.typed).map_err(in_words)?;
    checked::source(&settings.typed).map_err(in_words)?;
    checked::proxy(&settings.typed, false).map_err(in_words)?;
    let tagger = checked::tagger_settings(&settings).map_err(|error| error.to_string())?;
    let tagger = TaggerSettings { keys: vec![SECRET.into()], ..tagger };
    Tagger::new(&tagger).map_err(in_words)?;
    Ok(())
}

#[test]
fn any_slip_is_told_or_does_no_harm() {
    let (example, mut refused) = (example(), 0);
    assert_eq!(told(&example), Ok(()));
    for case in 0..CASES {
        let mut dice = Rng::with_seed(case as u64);
        let text = (0..dice.usize(1..4)).fold(example.clone(), |text, _| slipped(&text, &mut dice));
        if let Err(words) = told(&text) {
            assert!(words.len() > 10 && !words.contains('\0'), "{words:?} of\n{text}");
            refused += 1;
        }
    }
    assert!(
        (CASES / 4..CASES).contains(&refused),
        "{refused} of {CASES} were refused: the slips are too small or too large"
    );
}
