//! Answers per flag and variant since the start, in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use flagstaff_flags::{Flag, FlagId, Snapshot, VariantId};
use flagstaff_tag::PerSnapshot;

use crate::observe::{Answer, Observe, RequestContext};

/// Flags and variants that are told apart; the rest goes under the flag and variant `other`. Those that no flag has any more make
/// room.
const MAX_SERIES: usize = 500;

/// The name under which the rest goes.
const OTHER: &str = "other";

/// Upper ends of the buckets, in microseconds.
const BOUNDS: [u64; 13] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000,
];

const SECONDS: &str = "flagstaff_request_duration_seconds";
const TOTAL: &str = "flagstaff_answers_total";

/// Counts answers to requests that met a flag, by flag and variant: status classes, and a histogram of the time to first byte.
/// Needs no ledger. Cheap to clone; all clones share their counts. Shown, it is the text that Prometheus reads.
#[derive(Clone, Debug, Default)]
pub struct Answers(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// By names of flag and variant.
    known: Mutex<BTreeMap<(String, String), Arc<Series>>>,
    rest: Arc<Series>,
    table: PerSnapshot<Table>,
}

/// Where the answers of one snapshot's flags are counted.
/// By flag and variant, found at the first answer.
#[derive(Debug)]
struct Table(Vec<Box<[OnceLock<Arc<Series>>]>>);

/// What was counted of one variant.
#[derive(Debug, Default)]
struct Series {
    /// 1xx to 5xx.
    classes: [AtomicU64; 5],
    /// By [`BOUNDS`], and those beyond.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Observe for Answers {
    /// Counts an answer for every flag to which its request exposes; the time of one that is meant not to end is left out.
    fn answered(&self, request: &RequestContext, answer: &Answer<'_>) {
        let Some(status) = answer.status() else { return };
        let latency = Some(request.elapsed()).filter(|_| !answer.is_endless());
        let table = self.table(request.flags.compiled().snapshot());
        let (decisions, snapshot) = (request.flags.decisions(), request.flags.compiled().snapshot());
        let named = answer.exposed.iter().filter_map(|name| snapshot.find(name.as_str()));
        let named = named.filter(|id| !request.exposes(*id) && decisions.is_countable(*id));
        let named = named.filter_map(|id| Some((id, &**snapshot.flag(id)?, decisions.of(id))));
        for (id, flag, decision) in request.exposed().chain(named) {
            if let Some(slot) = table.slot(id, decision.variant()) {
                slot.get_or_init(|| self.series(flag, decision.variant())).add(status.as_u16(), latency);
            }
        }
    }
}

impl Answers {
    fn table(&self, snapshot: &Arc<Snapshot>) -> Arc<Table> {
        self.0.table.get(snapshot, |_| Table::new(snapshot))
    }

    fn series(&self, flag: &Flag, variant: VariantId) -> Arc<Series> {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        let names = (flag.name.to_string(), flag.variants.name(variant).to_owned());
        if known.len() >= MAX_SERIES && !known.contains_key(&names) {
            known.retain(|_, series| Arc::strong_count(series) > 1);
        }
        if known.len() >= MAX_SERIES && !known.contains_key(&names) {
            return Arc::clone(&self.0.rest);
        }
        Arc::clone(known.entry(names).or_default())
    }

    /// All that was counted, with the labels of each.
    fn all(&self) -> Vec<(String, Arc<Series>)> {
        let known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        let named = known.iter().map(|((flag, variant), series)| (labels(flag, variant), Arc::clone(series)));
        let mut all: Vec<_> = named.collect();
        if self.0.rest.answers() > 0 {
            all.push((labels(OTHER, OTHER), Arc::clone(&self.0.rest)));
        }
        all
    }
}

impl Table {
    fn new(snapshot: &Snapshot) -> Self {
        let variants = |flag: &Arc<Flag>| flag.variants.names().iter().map(|_| OnceLock::new()).collect();
        Self(snapshot.flags().iter().map(variants).collect())
    }

    fn slot(&self, id: FlagId, variant: VariantId) -> Option<&OnceLock<Arc<Series>>> {
        self.0.get(id.index())?.get(variant.index())
    }
}

impl Series {
    fn add(&self, status: u16, latency: Option<Duration>) {
        if let Some(class) = self.classes.get(usize::from(status / 100).wrapping_sub(1)) {
            class.fetch_add(1, Relaxed);
        }
        let Some(latency) = latency else {
            return;
        };
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(BOUNDS.partition_point(|bound| *bound < micros)) {
            bucket.fetch_add(1, Relaxed);
        }
        self.micros.fetch_add(micros, Relaxed);
    }

    fn answers(&self) -> u64 {
        self.classes.iter().map(|class| class.load(Relaxed)).sum()
    }

    fn write_seconds(&self, f: &mut fmt::Formatter<'_>, labels: &str) -> fmt::Result {
        let mut count = 0;
        let ends = BOUNDS.iter().map(|bound| (*bound as f64 / 1e6).to_string()).chain(["+Inf".into()]);
        for (bucket, end) in self.buckets.iter().zip(ends) {
            count += bucket.load(Relaxed);
            writeln!(f, "{SECONDS}_bucket{{{labels},le=\"{end}\"}} {count}")?;
        }
        writeln!(f, "{SECONDS}_sum{{{labels}}} {}", self.micros.load(Relaxed) as f64 / 1e6)?;
        writeln!(f, "{SECONDS}_count{{{labels}}} {count}")
    }

    fn write_total(&self, f: &mut fmt::Formatter<'_>, labels: &str) -> fmt::Result {
        for (class, answers) in (1..).zip(&self.classes) {
            writeln!(f, "{TOTAL}{{{labels},class=\"{class}xx\"}} {}", answers.load(Relaxed))?;
        }
        Ok(())
    }
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.all();
        if all.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "# HELP {SECONDS} Time to the first byte of answers to requests that met a flag; streams are left out"
        )?;
        writeln!(f, "# TYPE {SECONDS} histogram")?;
        all.iter().try_for_each(|(labels, series)| series.write_seconds(f, labels))?;
        writeln!(f, "# HELP {TOTAL} Answers to requests that met a flag, by class of status")?;
        writeln!(f, "# TYPE {TOTAL} counter")?;
        all.iter().try_for_each(|(labels, series)| series.write_total(f, labels))
    }
}

fn labels(flag: &str, variant: &str) -> String {
    format!("flag=\"{}\",variant=\"{}\"", escaped(flag), escaped(variant))
}

/// A label's value: backslash, quote and line end are escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        // writing into a String cannot fail
        let _ = match c {
            '\n' => escaped.write_str("\\n"),
            '\\' | '"' => write!(escaped, "\\{c}"),
            _ => escaped.write_char(c),
        };
    }
    escaped
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::Name;

    use super::*;

    fn flag(name: &str) -> Flag {
        Flag::new(Name::new(name).unwrap())
    }

    #[test]
    fn buckets_add_up_and_end_where_they_say() {
        let answers = Answers::default();
        assert_eq!(answers.to_string(), "");
        let series = answers.series(&flag("form"), VariantId::ON);
        for micros in [0, 1_000, 1_001, 10_000_000, 10_000_001] {
            series.add(200, Some(Duration::from_micros(micros)));
        }
        series.add(503, Some(Duration::from_millis(1)));
        series.add(101, None);
        series.add(999, None);
        let text = answers.to_string();
        let says = |line: &str| assert!(text.lines().any(|one| one == line), "no {line} in\n{text}");
        for (end, count) in [("0.001", 3), ("0.0025", 4), ("5", 4), ("10", 5), ("+Inf", 6)] {
            says(&format!("{SECONDS}_bucket{{flag=\"form\",variant=\"on\",le=\"{end}\"}} {count}"));
        }
        says(&format!("{SECONDS}_sum{{flag=\"form\",variant=\"on\"}} 20.003002"));
        says(&format!("{SECONDS}_count{{flag=\"form\",variant=\"on\"}} 6"));
        for (class, count) in [("1xx", 1), ("2xx", 5), ("3xx", 0), ("5xx", 1)] {
            says(&format!("{TOTAL}{{flag=\"form\",variant=\"on\",class=\"{class}\"}} {count}"));
        }
        for head in ["# HELP flagstaff_answers_total ", "# TYPE flagstaff_request_duration_seconds histogram"] {
            assert_eq!(text.lines().filter(|line| line.starts_with(head)).count(), 1, "{text}");
        }
    }

    #[test]
    fn labels_are_escaped() {
        assert_eq!(labels("form", "a\"b\\c\nd"), r#"flag="form",variant="a\"b\\c\nd""#);
    }

    #[test]
    fn series_are_bounded_and_old_ones_make_room() {
        let answers = Answers::default();
        let held: Vec<_> =
            (0..MAX_SERIES).map(|n| answers.series(&flag(&format!("flag_{n}")), VariantId::ON)).collect();
        assert!(Arc::ptr_eq(&answers.series(&flag("late"), VariantId::ON), &answers.0.rest));
        assert!(Arc::ptr_eq(&answers.series(&flag("flag_0"), VariantId::ON), &held[0]), "who is known stays known");
        answers.0.rest.add(200, Some(Duration::ZERO));
        assert!(answers.to_string().contains("_count{flag=\"other\",variant=\"other\"} 1\n"));
        drop(held);
        let late = answers.series(&flag("late"), VariantId::ON);
        assert!(!Arc::ptr_eq(&late, &answers.0.rest));
        assert_eq!(answers.0.known.lock().unwrap().len(), 1);
    }

    #[test]
    fn an_edit_goes_on_counting() {
        let answers = Answers::default();
        let snapshot = || Arc::new(Snapshot::new("r", vec![flag("form")], vec![], vec![], vec![]).unwrap());
        let (before, after) = (snapshot(), snapshot());
        let table = answers.table(&before);
        assert!(Arc::ptr_eq(&table, &answers.table(&before)), "made once");
        let id = before.find("form").unwrap();
        for snapshot in [&before, &after] {
            let table = answers.table(snapshot);
            let slot = table.slot(id, VariantId::ON).unwrap();
            slot.get_or_init(|| answers.series(&flag("form"), VariantId::ON)).add(200, None);
        }
        assert_eq!(answers.series(&flag("form"), VariantId::ON).answers(), 2);
    }
}
