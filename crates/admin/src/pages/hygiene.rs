//! What should be tidied up.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use flagstaff_operations::hygiene::{Finding, FindingKind, hygiene};
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
    findings: Vec<Finding>,
}

#[derive(Template)]
#[template(path = "hygiene.html")]
struct HygienePage {
    frame: Frame,
    groups: Vec<Group>,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/hygiene", get(show))
}

async fn show(State(context): State<Context>, visit: Visit) -> Answered {
    let (snapshot, today) = (context.snapshot(), Zoned::now().date());
    let found = context.run(async move |workspace: &_| hygiene(workspace, &snapshot, today)).await?;
    Ok(visit.show(&page(visit.frame("Hygiene", Section::Hygiene), found.findings)))
}

fn page(frame: Frame, findings: Vec<Finding>) -> HygienePage {
    let mut groups: Vec<Group> = Vec::new();
    let mut last = None;
    for finding in findings {
        if last != Some(finding.kind) {
            groups.push(group(finding.kind));
            last = Some(finding.kind);
        }
        groups.last_mut().into_iter().for_each(|group| group.findings.push(finding.clone()));
    }
    HygienePage { frame, groups }
}

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
        let page = page(Frame::plain("Hygiene"), all.map(|(kind, flag)| finding(kind, flag)).into());
        assert_eq!(page.groups.len(), 2);
        let text = page.render().unwrap();
        assert!(
            text.contains("Without an owner") && text.contains("/flags/c/edit") == page.frame.may_write,
            "{text}"
        );
        assert!(!text.contains("<so>"));
    }
}
