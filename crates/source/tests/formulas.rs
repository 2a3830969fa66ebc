//! `hash` as it is written in a file, and who gets what by it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::sync::Arc;

use flagstaff_flags::{Formula, Snapshot, Subject};
use flagstaff_source::{ParseOptions, Text, parse};
use jiff::Timestamp;

fn snapshot(text: &str) -> Arc<Snapshot> {
    let text = Text { name: "flags.toml", bytes: text.as_bytes() };
    Arc::new(parse(text, None, &ParseOptions::default()).unwrap_or_else(|report| panic!("{report}")).snapshot)
}

fn variant(snapshot: &Arc<Snapshot>, unit: &str) -> String {
    snapshot.decide(&Subject::at(Timestamp::UNIX_EPOCH).visitor(unit)).variant("a").into()
}

/// The number that a flag draws by.
fn number(snapshot: &Arc<Snapshot>, unit: &str) -> (u64, u64) {
    let explained = snapshot.explain("a", &Subject::at(Timestamp::UNIX_EPOCH).visitor(unit));
    let number = explained.numbers.last().unwrap();
    (number.number, number.of)
}

fn units() -> impl Iterator<Item = String> {
    (0..2000).map(|i| format!("user-{i}"))
}

#[test]
fn a_name_that_is_not_written_is_the_flags() {
    let written = snapshot("[flags.a]\npercent = 30\nhash = { as = \"unleash\", group = \"a\" }\n");
    let left_out = snapshot("[flags.a]\npercent = 30\nhash = { as = \"unleash\" }\n");
    let other = snapshot("[flags.a]\npercent = 30\nhash = { as = \"unleash\", group = \"b\" }\n");
    assert!(units().all(|unit| variant(&written, &unit) == variant(&left_out, &unit)));
    assert!(units().any(|unit| variant(&written, &unit) != variant(&other, &unit)));
    let id = |snapshot: &Arc<Snapshot>| snapshot.experiment_id(snapshot.find("a").unwrap());
    assert!(id(&written) == id(&left_out) && id(&written) != id(&other));
    assert_ne!(id(&written), id(&snapshot("[flags.a]\npercent = 30\n")));
    assert_eq!(id(&snapshot("[flags.a]\n")), id(&snapshot("[flags.a]\nhash = { as = \"sha256\" }\n")));
}

#[test]
fn another_order_is_another_experiment() {
    let id = |hash: &str| {
        let snapshot = snapshot(&format!("[flags.a]\nvariants = {{ x = 50, y = 50 }}\nhash = {hash}\n"));
        snapshot.experiment_id(snapshot.find("a").unwrap())
    };
    for formula in ["sha256", "flagd"] {
        let written = id(&format!("{{ as = \"{formula}\" }}"));
        assert_eq!(written, id(&format!("{{ as = \"{formula}\", order = [\"x\", \"y\"] }}")));
        assert_ne!(written, id(&format!("{{ as = \"{formula}\", order = [\"y\", \"x\"] }}")));
    }
}

#[test]
fn a_formula_is_part_of_what_decides() {
    let definition = |text: &str| snapshot(text).flags()[0].definition;
    let plain = definition("[flags.a]\npercent = 30\n");
    assert_ne!(plain, definition("[flags.a]\npercent = 30\nhash = { as = \"flipper\" }\n"));
    let rule = |keys: &str| definition(&format!("[flags.a]\n[[flags.a.rules]]\npercent = 30\n{keys}\n"));
    assert_ne!(rule(""), rule("hash = { as = \"flipper\" }"));
    assert_ne!(rule(""), rule("variants = { on = 50, off = 50 }"));
}

#[test]
fn shares_take_the_numbers_below_them() {
    for percent in [0, 1, 20, 50, 99, 100] {
        let snapshot = snapshot(&format!("[flags.a]\npercent = {percent}\nhash = {{ as = \"configcat\" }}\n"));
        for unit in units() {
            let (k, of) = number(&snapshot, &unit);
            assert_eq!((of, variant(&snapshot, &unit) == "on"), (100, k < percent), "{unit}");
        }
    }
}

#[test]
fn variants_lie_in_their_order_and_a_share_takes_the_first_part_of_each() {
    let variants = "variants = { control = 50, b = 30, c = 20 }";
    let hash = "hash = { as = \"configcat\", order = [\"c\", \"control\", \"b\"] }";
    let whole = snapshot(&format!("[flags.a]\n{variants}\n{hash}\n"));
    let part = snapshot(&format!("[flags.a]\npercent = 10\n{variants}\n{hash}\n"));
    for unit in units() {
        let (k, _) = number(&whole, &unit);
        let (of_all, from, size) = match k {
            0..20 => ("c", 0, 20),
            20..70 => ("control", 20, 50),
            _ => ("b", 70, 30),
        };
        assert_eq!(variant(&whole, &unit), of_all, "{unit}, {k}");
        let is_in = (k - from) * 10 < size;
        assert_eq!(variant(&part, &unit), if is_in { of_all } else { "control" }, "{unit}, {k}");
    }
}

#[test]
fn variants_lie_in_their_order_without_another_formula() {
    let snapshot =
        snapshot("[flags.a]\nvariants = { x = 20, y = 80 }\nhash = { as = \"sha256\", order = [\"y\", \"x\"] }\n");
    for unit in units() {
        let (split, _) = number(&snapshot, &unit);
        assert_eq!(variant(&snapshot, &unit), if split < 80_000 { "y" } else { "x" }, "{unit}, {split}");
    }
}

#[test]
fn on_may_lie_last() {
    let hash = "hash = { as = \"flipt\", order = [\"off\", \"on\"] }";
    let snapshot = snapshot(&format!("[flags.a]\npercent = 30\n{hash}\n"));
    for unit in units() {
        let (k, of) = number(&snapshot, &unit);
        assert_eq!((of, variant(&snapshot, &unit) == "on"), (100, k >= 70), "{unit}");
    }
}

#[test]
fn unleash_draws_variants_by_a_number_of_their_own() {
    let variants = "variants = { x = 25, y = 75 }\nhash = { as = \"unleash\", total = 4 }";
    let snapshot = snapshot(&format!("[flags.a]\n{variants}\n"));
    let mut seen = [0; 4];
    for unit in units() {
        let (k, of) = number(&snapshot, &unit);
        assert_eq!((of, variant(&snapshot, &unit).as_str()), (4, if k == 0 { "x" } else { "y" }));
        seen[usize::try_from(k).unwrap()] += 1;
    }
    assert!(seen.iter().all(|n| *n > 400), "{seen:?}");
}

#[test]
fn rules_have_weights_and_formulas_of_their_own() {
    let text = "[flags.a]\nvariants = { x = 50, y = 50 }\nhash = { as = \"configcat\" }\n\
                [[flags.a.rules]]\npercent = 50\nvariants = { x = 10, y = 90 }\nhash = { as = \"statsig\", salt = \"f.r\" }\n";
    let snapshot = snapshot(text);
    let explained = snapshot.explain("a", &Subject::at(Timestamp::UNIX_EPOCH).visitor("user-1"));
    assert_eq!((explained.formula, explained.numbers[0].text.as_str()), (Formula::Statsig, "f.r.user-1"));
    for unit in units() {
        let (k, of) = number(&snapshot, &unit);
        assert_eq!(of, 10_000);
        let wanted = match k {
            0..500 => "x",
            1000..5500 => "y",
            _ => "x", // the control
        };
        assert_eq!(variant(&snapshot, &unit), wanted, "{unit}, {k}");
    }
}

#[test]
fn a_rule_without_a_formula_lies_in_the_flags_order() {
    let text = "[flags.a]\nvariants = { x = 50, y = 50 }\nhash = { as = \"configcat\", order = [\"y\", \"x\"] }\n\
                [[flags.a.rules]]\nvariants = { x = 10, y = 90 }\n";
    let snapshot = snapshot(text);
    for unit in units() {
        let (k, _) = number(&snapshot, &unit);
        assert_eq!(variant(&snapshot, &unit), if k < 90 { "y" } else { "x" }, "{unit}, {k}");
    }
}

#[test]
fn a_layer_may_be_a_namespace() {
    let text = "[flags.a]\n[layers.pricing]\nslices = { a = [20, 60] }\nhash = { as = \"growthbook\", seed = \"__new_checkout\" }\n";
    let snapshot = snapshot(text);
    // the namespace's numbers of 1, 42 and a@example.com are 389, 626 and 644 of 1000
    assert_eq!(["1", "42", "a@example.com"].map(|unit| variant(&snapshot, unit)), ["on", "off", "off"]);
    let explained = snapshot.explain("a", &Subject::at(Timestamp::UNIX_EPOCH).visitor("42"));
    let number = &explained.numbers[0];
    assert_eq!(
        (explained.formula, number.text.as_str(), number.number),
        (Formula::GrowthBook, "42__new_checkout", 626)
    );
}

#[test]
fn an_actor_has_a_prefix() {
    let text = |hash: &str| snapshot(&format!("[flags.a]\npercent = 50\nhash = {hash}\n"));
    let (with, without) = (text("{ as = \"flipper\", prefix = \"User;\" }"), text("{ as = \"flipper\" }"));
    assert!(units().all(|unit| number(&with, &unit) == number(&without, &format!("User;{unit}"))));
    let own = text("{ as = \"sha256\", prefix = \"User;\" }");
    let plain = snapshot("[flags.a]\npercent = 50\n");
    assert!(units().all(|unit| variant(&own, &unit) == variant(&plain, &format!("User;{unit}"))));
}

#[test]
fn an_explanation_shows_the_text_and_the_number() {
    let snapshot = snapshot("[flags.a]\npercent = 50\nhash = { as = \"unleash\", group = \"new_checkout\" }\n");
    let explained = snapshot.explain("a", &Subject::at(Timestamp::UNIX_EPOCH).visitor("42\u{1b}"));
    assert_eq!(explained.numbers[0].text, "new_checkout:42\\u{1b}");
    let explained = snapshot.explain("a", &Subject::at(Timestamp::UNIX_EPOCH).visitor("42"));
    let number = &explained.numbers[0];
    assert_eq!((number.text.as_str(), number.number, number.of), ("new_checkout:42", 79, 100));
    assert_eq!(explained.draw.unwrap().position(), 79_000);
}

#[test]
fn a_rule_may_leave_others_to_the_next() {
    let rules = |first: &str| {
        snapshot(&format!(
            "[flags.a]\nhash = {{ as = \"configcat\" }}\nrules = [{{ percent = 20, {first} }}, {{ percent = 50, hash = {{ as = \"configcat\", key = \"b\" }} }}]\n"
        ))
    };
    let (next, control) = (rules("otherwise = \"next\""), rules("otherwise = \"control\""));
    let own = snapshot("[flags.a]\nhash = { as = \"configcat\" }\n");
    let second = snapshot("[flags.a]\nhash = { as = \"configcat\", key = \"b\" }\n");
    for unit in units() {
        let (first, then) = (number(&own, &unit).0 < 20, number(&second, &unit).0 < 50);
        let word = |is_on: bool| if is_on { "on" } else { "off" };
        assert_eq!(variant(&next, &unit), word(first || then), "{unit}");
        assert_eq!(variant(&control, &unit), word(first), "{unit}");
    }
    let definition = |snapshot: &Arc<Snapshot>| snapshot.flags()[0].definition;
    assert_ne!(definition(&next), definition(&control));
}
