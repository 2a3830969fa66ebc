//! `[holdout]` as it is read.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use flagstaff_flags::{Holdout, Percent};
use flagstaff_source::{ParseOptions, Report, Text, parse};

fn read(text: &str, overlay: Option<&str>) -> Result<Option<Holdout>, Report> {
    let text = Text { name: "flags.toml", bytes: text.as_bytes() };
    let overlay = overlay.map(|text| Text { name: "flags.production.toml", bytes: text.as_bytes() });
    Ok(parse(text, overlay, &ParseOptions::default())?.snapshot.holdout().cloned())
}

fn holdout(percent: f64, salt: Option<&str>) -> Option<Holdout> {
    Some(Holdout::new(Percent::new(percent).unwrap(), salt))
}

#[test]
fn a_share_and_a_salt() {
    assert_eq!(read("[holdout]\npercent = 5\n", None).unwrap(), holdout(5.0, None));
    assert_eq!(read("holdout = { percent = 0.5, salt = \"q1\" }\n", None).unwrap(), holdout(0.5, Some("q1")));
    assert_eq!(read("[holdout]\npercent = 0\n", None).unwrap(), None);
    assert_eq!(read("# no flags\n", None).unwrap(), None);
}

#[test]
fn an_overlay_may_change_it() {
    let text = "[holdout]\npercent = 5\nsalt = \"q1\"\n";
    assert_eq!(read(text, Some("[holdout]\npercent = 2\n")).unwrap(), holdout(2.0, Some("q1")));
    assert_eq!(read("[flags.a]\n", Some("[holdout]\npercent = 2\n")).unwrap(), holdout(2.0, None));
}

#[test]
fn mistakes_are_told_at_their_place() {
    for (text, place, message, help) in [
        ("[holdout]\npercent = 130\n", (2, 11), "between 0 and 100", "0 to 100"),
        ("[holdout]\npercent = -1\n", (2, 11), "between 0 and 100", ""),
        ("[holdout]\npercent = 0.0001\n", (2, 11), "three decimals", ""),
        ("[holdout]\npercent = \"5%\"\n", (2, 11), "percent must be a number", "write percent = 5"),
        ("[holdout]\npercnt = 5\n", (2, 1), "no key `percnt`", "did you mean `percent`?"),
        ("\n[holdout]\n", (2, 1), "does not say how many", "add percent = 5"),
        ("holdout = 5\n", (1, 11), "holdout must be a table", ""),
        ("[holdut]\npercent = 5\n", (1, 2), "no key `holdut`", "did you mean `holdout`?"),
    ] {
        let report = read(text, None).unwrap_err();
        let [problem] = report.problems() else { panic!("{text}: {report}") };
        assert_eq!((problem.line, problem.column), place, "{report}");
        assert!(problem.message.contains(message), "{report}");
        assert!(problem.help.clone().unwrap_or_default().contains(help), "{report}");
        assert!(report.to_string().contains('^'), "{report}");
    }
}
