//! Whatever a file holds, it is read or refused: no panic, no stack that overflows, no time without end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use flagstaff_source::{LARGEST, Loaded, ParseOptions, Report, Text, edit, parse};
use proptest::prelude::*;

fn parsed(bytes: &[u8]) -> Result<Loaded, Report> {
    parse(Text { name: "flags.toml", bytes }, None, &ParseOptions::default())
}

fn first(bytes: &[u8]) -> String {
    let report = parsed(bytes).unwrap_err();
    report.problems()[0].message.clone()
}

#[test]
fn what_is_no_document_is_refused_in_words() {
    assert!(
        first(b"").contains("empty")
            && first(b" \n\t\r\n").contains("empty")
            && first(b"\xef\xbb\xbf\n").contains("empty")
    );
    assert_eq!(first(b"a = 1\n\n\xff"), "the file is not UTF-8: see line 3");
    assert!(first(b"[flags.a]\n\0").contains("not TOML"));
    assert!(first(&vec![b'#'; LARGEST + 1]).contains("bytes"));
    assert!(first(b"\x7fELF\x02\x01\x01\0\0\0").contains("not TOML"));
    assert!(parsed(b"# no flags\n").is_ok());
    assert!(parsed(b"\xef\xbb\xbf[flags.a]\r\npercent = 5\r\n").is_ok());
}

#[test]
fn depth_has_an_end() {
    let deep = [
        format!("[flags.a]\nmetadata.x = {}{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("[flags.a]\nmetadata.x = {}1{}", "{ a = ".repeat(10_000), " }".repeat(10_000)),
        format!("[flags.a]\nmetadata{} = 1", ".a".repeat(50_000)),
        format!("[flags.a{}]", ".a".repeat(50_000)),
        format!(
            "[flags.a.metadata{}]\nx = {}1{}",
            ".a".repeat(75),
            format!("{{ b{} = ", ".a".repeat(75)).repeat(75),
            "}".repeat(75)
        ),
        format!("[flags.a]\nmetadata.x = {}1{}", "[".repeat(60), "]".repeat(60)),
    ];
    for text in &deep {
        assert!(parsed(text.as_bytes()).is_err());
    }
    assert!(parsed(format!("[flags.a]\nmetadata.x = {}1{}", "[".repeat(20), "]".repeat(20)).as_bytes()).is_ok());
}

#[test]
fn a_file_of_nothing_but_mistakes_is_read_to_its_end() {
    let line = |i: usize| match i % 5 {
        0 => format!("[flags.f{i}]\npercnt = {i}\n"),
        1 => format!("[flags.f{i}]\ngoals = [\"goal_{i}\"]\nowner = 3\n"),
        2 => format!("[flags.f{i}]\npercent = 500\n"),
        3 => format!("[flags.f{i}]\nrequires = [\"flag_{i}\"]\n"),
        _ => format!("[flags.F{i}]\nlayer = \"l{i}\"\n"),
    };
    let text: String = (0..2000).map(line).collect();
    let report = parsed(text.as_bytes()).unwrap_err();
    assert!(report.errors().count() >= 2400, "{}", report.summary());
    assert!(report.render(false).ends_with("more"));
    let one_flag: String = (0..5000).map(|i| format!("k{i} = 1\n")).collect();
    assert!(parsed(format!("[flags.a]\n{one_flag}").as_bytes()).is_err());
    let one_line = format!(
        "flags = {{ {} }}",
        (0..2000).map(|i| format!("f{i} = {{ percnt = 1 }}")).collect::<Vec<_>>().join(", ")
    );
    assert_eq!(parsed(one_line.as_bytes()).unwrap_err().errors().count(), 2000);
    for junk in ["[", "a.", "= ", "\"", "[[a]]\n", "'''", "a = [1, \n", "{", "\0", "[flags.a]\n"] {
        assert!(parsed(junk.repeat(20_000).as_bytes()).is_err(), "{junk:?}");
    }
}

/// Texts near enough to a flag file to get far.
fn near() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[flags.a]\n"),
        Just("[flags.b]\n"),
        Just("[[flags.a.rules]]\n"),
        Just("[goals.g]\n"),
        Just("[layers.l]\n"),
        Just("[segments.s]\nany = "),
        Just("percent = "),
        Just("variants = "),
        Just("if = "),
        Just("serve = "),
        Just("rollout"),
        Just(".steps = "),
        Just("guard = "),
        Just("requires = "),
        Just("goals = "),
        Just("slices = "),
        Just("values = "),
        Just("{ a = "),
        Just("{ "),
        Just(" }"),
        Just("["),
        Just("]"),
        Just(", "),
        Just("\"on\""),
        Just("\"a\""),
        Just("50"),
        Just("1e400"),
        Just("-nan"),
        Just("99999999999999999999999999999999999999999"),
        Just("2026-11-20T09:00:00Z"),
        Just("true"),
        Just("\n"),
        Just("# x\n"),
        Just("= "),
        Just("\"\"\""),
        Just("ö"),
        Just("\r\n"),
        Just("\""),
        Just("hold = "),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Err(report) = parsed(&bytes) {
            prop_assert!(!report.render(true).is_empty());
        }
    }

    #[test]
    fn nearly_right_texts_never_panic(below in near(), above in near()) {
        let text = |content: &'static str| content;
        let name = text("flags.toml");
        let overlay = Text { name: "over.toml", bytes: above.as_bytes() };
        match parse(Text { name, bytes: below.as_bytes() }, Some(overlay), &ParseOptions::default()) {
            Ok(loaded) => prop_assert!(loaded.report.is_usable()),
            Err(report) => {
                prop_assert!(!report.is_usable());
                prop_assert!(report.problems().iter().all(|p| p.line > 0 || report.problems().len() == 1));
                prop_assert!(!report.render(false).is_empty());
            }
        }
    }

    #[test]
    fn edits_of_nearly_right_texts_never_panic(text in near(), path in "[a-z.0-9]{0,12}", value in ".{0,12}") {
        let _ = edit::set(&text, "a", &[(&path, &value)]);
        let _ = edit::set(&text, "a", &[("enabled", "false")]);
    }
}
