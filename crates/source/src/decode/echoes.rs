//! Findings that only follow from others.

use std::collections::BTreeSet;

use crate::findings::{Finding, FindingKind};

/// Takes out what may only follow from syntax errors. Says whether something that seems to be missing may well be there.
pub(crate) fn without_echoes(findings: &mut Vec<Finding>) -> bool {
    let starts = |kind| findings.iter().filter(move |finding| finding.kind == kind).map(|finding| finding.span.start);
    let touched: BTreeSet<usize> = starts(FindingKind::Syntax).collect();
    let torn_from = starts(FindingKind::Torn).min();
    findings.retain(|finding| {
        let (from, to) = (finding.span.start, finding.span.end.max(finding.span.start));
        let sound = torn_from.is_none_or(|torn| to < torn) && touched.range(from..=to).next().is_none();
        finding.is_syntax() || sound
    });
    torn_from.is_some()
}
