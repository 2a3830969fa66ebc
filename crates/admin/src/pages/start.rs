//! The first page: what needs a person, and what happened last.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use flagstaff_operations::attention::{Attention, Need, NeedKind, attention};
use jiff::{Timestamp, Zoned};

use super::facts::FactLine;
use super::frame::{Frame, Section, Visit};
use crate::Context;

/// Things that happened last.
const RECENT: usize = 10;

/// A flag that needs a person, with what to do about it.
struct Row {
    flag: String,
    sentence: String,
    button: &'static str,
    path: String,
    /// The button does it; else it leads to where it is done.
    posts: bool,
    command: &'static str,
    /// The state that it is for.
    number: u64,
    is_urgent: bool,
}

/// How many need the same.
struct Count {
    count: usize,
    words: &'static str,
    is_urgent: bool,
}

#[derive(Template)]
#[template(path = "start.html")]
struct StartPage {
    frame: Frame,
    problem: Option<String>,
    strip: Vec<Count>,
    needs: Vec<Row>,
    events: Vec<FactLine>,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/", get(start))
}

async fn start(State(context): State<Context>, visit: Visit) -> Response {
    let (snapshot, today) = (context.snapshot(), Zoned::now().date());
    let asked = async move |workspace: &_| attention(workspace, &snapshot, Timestamp::now(), today, RECENT).await;
    let (found, problem) = match context.run(asked).await {
        Ok(found) => (found, None),
        Err(error) => (Attention::default(), Some(format!("What happened is not known: {error}"))),
    };
    visit.show(&page(visit.frame("Start", Section::Start), found, problem, Timestamp::now()))
}

fn page(frame: Frame, found: Attention, problem: Option<String>, now: Timestamp) -> StartPage {
    let mut strip: Vec<(NeedKind, usize)> = Vec::new();
    for need in &found.needs {
        match strip.last_mut().filter(|(kind, _)| *kind == need.kind) {
            Some((_, count)) => *count += 1,
            None => strip.push((need.kind, 1)),
        }
    }
    let count =
        |(kind, count): (NeedKind, usize)| Count { count, words: words(kind, count), is_urgent: is_urgent(kind) };
    StartPage {
        frame,
        problem,
        strip: strip.into_iter().map(count).collect(),
        needs: found.needs.into_iter().map(row).collect(),
        events: found.recent.into_iter().map(|fact| FactLine::of_any(fact, now)).collect(),
    }
}

fn row(need: Need) -> Row {
    let (button, page, command) = match need.kind {
        NeedKind::RolledBack | NeedKind::Held | NeedKind::Inconclusive => ("See why", "", ""),
        NeedKind::Approval => ("Approve", "/rollout", "approve"),
        NeedKind::Expired => ("Give it a later date", "/edit", ""),
        NeedKind::ReadyToDelete => ("Look at it", "", ""),
    };
    Row {
        path: format!("/flags/{}{page}", need.flag),
        flag: need.flag,
        sentence: need.sentence,
        button,
        posts: !command.is_empty(),
        command,
        number: need.number,
        is_urgent: is_urgent(need.kind),
    }
}

const fn is_urgent(kind: NeedKind) -> bool {
    matches!(kind, NeedKind::RolledBack | NeedKind::Held)
}

const fn words(kind: NeedKind, count: usize) -> &'static str {
    match kind {
        NeedKind::RolledBack => "rolled back",
        NeedKind::Held => "held by its guard",
        NeedKind::Approval if count == 1 => "waits for approval",
        NeedKind::Approval => "wait for approval",
        NeedKind::Inconclusive if count == 1 => "does not go on",
        NeedKind::Inconclusive => "do not go on",
        NeedKind::Expired => "expired",
        NeedKind::ReadyToDelete => "ready to delete",
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::FactKind;
    use flagstaff_operations::attention::RecentFact;

    use super::*;

    fn text(found: Attention, may_write: bool) -> String {
        let frame = Frame { may_write, ..Frame::plain("Start") };
        page(frame, found, None, Timestamp::from_second(1000).unwrap()).render().unwrap()
    }

    fn need(kind: NeedKind) -> Need {
        Need { kind, flag: "new_form".into(), sentence: "was <b>rolled</b> back".into(), number: 7 }
    }

    #[test]
    fn each_need_is_a_sentence_with_one_button() {
        let needs = vec![need(NeedKind::RolledBack), need(NeedKind::Approval), need(NeedKind::Approval)];
        let page = text(Attention { needs, ..Attention::default() }, true);
        assert!(page.contains("<b>1</b> rolled back") && page.contains("<b>2</b> wait for approval"), "{page}");
        assert!(page.contains(r#"action="/flags/new_form/rollout""#) && page.contains("&#60;b&#62;rolled"), "{page}");
    }

    #[test]
    fn who_may_only_read_is_led_there_and_changes_nothing() {
        let page = text(Attention { needs: vec![need(NeedKind::Approval)], ..Attention::default() }, false);
        assert!(!page.contains("method=\"post\""), "{page}");
    }

    #[test]
    fn where_nobody_is_needed_it_says_so_and_what_happened() {
        let fact = RecentFact {
            flag: "new_form".into(),
            at: Timestamp::from_second(700).unwrap(),
            kind: FactKind::Step,
            by: "rollout".into(),
            why: "<i>".into(),
        };
        let page = text(Attention { needs: vec![], recent: vec![fact] }, true);
        assert!(page.contains("Nothing needs a person") && page.contains("5 min ago"), "{page}");
        assert!(page.contains("went to its next step") && !page.contains("<i>"), "{page}");
    }
}
