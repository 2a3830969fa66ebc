//! What should be tidied up.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use flagstaff_operations::hygiene::{Finding, FindingKind, HygieneReport, UnknownFlag, report};
use jiff::Zoned;

use super::failure::Answered;
use super::frame::{Frame, Section, Visit};
use crate::Context;

/// Findings of one kind.
struct Group {
    title: &'static str,
    advice: &'static str,
    button: &'static str,
    page: &'static str,
    /// Flags, each with what is the matter.
    findings: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "hygiene.html")]
struct HygienePage {
    frame: Frame,
    groups: Vec<Group>,
    /// Names that nobody defined, each in a sentence.
    unknown: Vec<String>,
    /// Since when the program watches; none where it does not.
    since: Option<String>,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/hygiene", get(show))
}

async fn show(State(context): State<Context>, visit: Visit) -> Answered {
    let (snapshot, watched, today) = (context.snapshot(), context.watched(), Zoned::now().date());
    let found = async move |workspace: &_| report(workspace, &snapshot, watched.as_ref(), None, today);
    let found = context.run(found).await?;
    Ok(visit.show(&page(visit.frame("Hygiene", Section::Hygiene), found)))
}

fn page(frame: Frame, report: HygieneReport) -> HygienePage {
    let mut groups: Vec<(FindingKind, Group)> = Vec::new();
    for Finding { kind, flag, sentence } in report.findings {
        match groups.last_mut() {
            Some((last, group)) if *last == kind => group.findings.push((flag, sentence)),
            _ => groups.push((kind, Group { findings: vec![(flag, sentence)], ..group(kind) })),
        }
    }
    let never = report.never_asked.into_iter().map(|flag| (flag, "was not asked for".to_owned())).collect();
    let never = Group { findings: never, ..NEVER_ASKED };
    let groups = groups.into_iter().map(|(_, group)| group).chain([never]);
    HygienePage {
        frame,
        groups: groups.filter(|group| !group.findings.is_empty()).collect(),
        unknown: report.unknown.iter().map(UnknownFlag::sentence).collect(),
        since: report.watched_since,
    }
}

/// What only a running program knows.
const NEVER_ASKED: Group = Group {
    title: "Never asked for",
    advice: "No request met it since the program started. Wait for as long as your rarest page needs; then end the flag.",
    button: "Look at it",
    page: "",
    findings: Vec::new(),
};

const fn group(kind: FindingKind) -> Group {
    let (title, advice, button, page) = match kind {
        FindingKind::Expired => ("Expired", "End the flag, or give it a later date.", "Edit", "/edit"),
        FindingKind::Ended => (
            "Ended, and still in the file",
            "Delete the code that asks for it, then take it out: flagstaff end FLAG --remove.",
            "Look at it",
            "",
        ),
        FindingKind::Stale => (
            "Ready to delete",
            "Everybody has the same for long. Delete the code that asks, then end the flag.",
            "Look at it",
            "",
        ),
        FindingKind::NoOwner => ("Without an owner", "Say who answers for it.", "Edit", "/edit"),
        FindingKind::NoExpiry => ("Without an expiry date", "Say when it should be gone.", "Edit", "/edit"),
    };
    Group { title, advice, button, page, findings: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_a_group_with_its_advice() {
        let finding = |kind, flag: &str| Finding { kind, flag: flag.into(), sentence: "is <so>".into() };
        let all = [(FindingKind::Expired, "a"), (FindingKind::NoOwner, "b"), (FindingKind::NoOwner, "c")];
        let findings = all.map(|(kind, flag)| finding(kind, flag)).into();
        let page = page(Frame::plain("Hygiene"), HygieneReport { findings, ..HygieneReport::default() });
        assert_eq!(page.groups.len(), 2);
        let text = page.render().unwrap();
        assert!(
            text.contains("Without an owner") && text.contains("/flags/c/edit") == page.frame.may_write,
            "{text}"
        );
        assert!(!text.contains("<so>") && !text.contains("Never asked for"));
    }

    #[test]
    fn what_the_running_program_saw_stands_beside_it() {
        let unknown = UnknownFlag { name: "old_<form>".into(), asker: "app".into(), times: 1200 };
        let report = HygieneReport {
            watched_since: Some("2026-11-28T12:00:00Z".into()),
            never_asked: vec!["quiet".into()],
            unknown: vec![unknown],
            ..HygieneReport::default()
        };
        let text = page(Frame::plain("Hygiene"), report).render().unwrap();
        assert!(text.contains("Never asked for") && text.contains("/flags/quiet"), "{text}");
        assert!(
            text.contains("1,200 times") && !text.contains("old_<form>") && text.contains("2026-11-28T12:00:00Z")
        );
        let text = page(Frame::plain("Hygiene"), HygieneReport::default()).render().unwrap();
        assert!(text.contains("Everything is tidy"), "{text}");
    }
}
