//! All flags, with the changes that are made most.

use std::collections::BTreeSet;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use flagstaff_flags::Flag;
use flagstaff_operations::traffic::FlagTraffic;
use form_urlencoded::Serializer;
use jiff::Timestamp;
use serde::Deserialize;

use super::frame::{Frame, Section, Visit};
use super::listed::{Chip, STATES, Seen, all, state_words};
use super::traffic::Traffic;
use super::words::counted;
use crate::Context;
use crate::extract::Query;

/// Flags on one page.
const ROWS: usize = 100;

/// What is looked for. It stands in the address, so that a list can be kept and sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Filter {
    text: String,
    state: String,
    owner: String,
    enabled: String,
    /// Whom it names, as [`named`] says it.
    named: String,
    page: String,
}

/// A flag in the list.
struct Row {
    name: String,
    state: &'static str,
    state_words: &'static str,
    mark: &'static str,
    chips: Vec<Chip>,
    description: String,
    traffic: Option<Traffic>,
    means: String,
    percent: String,
    written_percent: String,
    edits_percent: bool,
    owner: String,
    expires: String,
    ticket: String,
    revision: String,
    may_switch_off: bool,
    may_switch_on: bool,
}

#[derive(Template)]
#[template(path = "flags.html")]
struct FlagsPage {
    frame: Frame,
    filter: Filter,
    states: Vec<(&'static str, &'static str)>,
    owners: BTreeSet<String>,
    audiences: BTreeSet<String>,
    found: String,
    rows: Vec<Row>,
    page: usize,
    pages: usize,
    before: Option<String>,
    next: Option<String>,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/flags", get(flags))
}

async fn flags(State(context): State<Context>, visit: Visit, Query(filter): Query<Filter>) -> Response {
    let snapshot = context.snapshot();
    let traffic = context.flag_traffic(&snapshot);
    let listed = Listed { all: &all(&snapshot), traffic: &traffic, revision: snapshot.revision() };
    visit.show(&page(visit.frame("Flags", Section::Flags), &listed, filter))
}

/// The flags in force, and how they are asked for.
struct Listed<'a> {
    all: &'a [Seen<'a>],
    traffic: &'a [FlagTraffic],
    revision: &'a str,
}

fn page(frame: Frame, listed: &Listed<'_>, filter: Filter) -> FlagsPage {
    let (all, now) = (listed.all, Timestamp::now());
    let owners = all.iter().filter_map(|seen| seen.listed.owner.clone()).collect();
    let audiences = all.iter().flat_map(|seen| named(seen.flag)).collect();
    let count = all.len();
    let fitting: Vec<_> = all.iter().filter(|seen| filter.fits(seen)).collect();
    let found = if fitting.len() == count {
        counted(count as u64, "flag", "flags")
    } else {
        format!("{} of {}", fitting.len(), counted(count as u64, "flag", "flags"))
    };
    let pages = fitting.len().div_ceil(ROWS).max(1);
    let page = filter.page.parse().unwrap_or(1).clamp(1, pages);
    let rows = fitting.iter().skip((page - 1) * ROWS).take(ROWS).map(|seen| row(seen, listed, now)).collect();
    FlagsPage {
        states: STATES.map(|state| (state, state_words(state))).into(),
        owners,
        audiences,
        found,
        rows,
        page,
        pages,
        before: (page > 1).then(|| filter.at(page - 1)),
        next: (page < pages).then(|| filter.at(page + 1)),
        filter,
        frame,
    }
}

fn row(seen: &Seen<'_>, all: &Listed<'_>, now: Timestamp) -> Row {
    let listed = &seen.listed;
    let traffic = all.traffic.iter().find(|one| one.flag == listed.name);
    let may_switch_off = seen.may_switch_off();
    Row {
        name: listed.name.clone(),
        state: listed.state.as_str(),
        state_words: seen.state_words(),
        mark: seen.mark(),
        chips: seen.chips(),
        description: listed.description.clone().unwrap_or_default(),
        traffic: traffic.map(|one| Traffic::of(seen.flag, one, now)),
        means: seen.means.clone(),
        percent: listed.percent.to_string(),
        written_percent: seen.written_percent(),
        edits_percent: seen.flag.rollout.is_none(),
        owner: listed.owner.clone().unwrap_or_default(),
        expires: listed.expires.map(|date| date.to_string()).unwrap_or_default(),
        ticket: listed.ticket.clone().unwrap_or_default(),
        revision: all.revision.into(),
        may_switch_off,
        may_switch_on: !may_switch_off,
    }
}

/// Whom a flag names beside its percentage, each in a few words.
fn named(flag: &Flag) -> BTreeSet<String> {
    let Some(allow) = &flag.allow else {
        return BTreeSet::new();
    };
    let all = [
        ("role ", allow.roles.iter().collect::<Vec<_>>()),
        ("group ", allow.groups.iter().collect()),
        ("language ", allow.languages.iter().collect()),
    ];
    let words = all.into_iter().flat_map(|(kind, names)| names.into_iter().map(move |name| format!("{kind}{name}")));
    let users = (!allow.users.is_empty()).then(|| "users by id".to_owned());
    let authenticated = allow.authenticated.then(|| "everybody who is logged in".to_owned());
    words.chain(users).chain(authenticated).collect()
}

impl Filter {
    fn fits(&self, seen: &Seen<'_>) -> bool {
        let listed = &seen.listed;
        let text = self.text.trim().to_lowercase();
        let has = |field: &str| field.to_lowercase().contains(&text);
        (text.is_empty() || has(&listed.name) || listed.description.as_deref().is_some_and(has))
            && (self.state.is_empty() || self.state == listed.state.as_str())
            && (self.owner.is_empty() || listed.owner.as_deref() == Some(&*self.owner))
            && (self.enabled.is_empty() || self.enabled == listed.enabled.to_string())
            && (self.named.is_empty() || named(seen.flag).contains(&self.named))
    }

    fn is_set(&self) -> bool {
        self.fields().iter().any(|(_, value)| !value.is_empty())
    }

    const fn fields(&self) -> [(&'static str, &String); 5] {
        [
            ("text", &self.text),
            ("state", &self.state),
            ("owner", &self.owner),
            ("enabled", &self.enabled),
            ("named", &self.named),
        ]
    }

    /// The address of another page of the same list.
    fn at(&self, page: usize) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in self.fields().into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        query.append_pair("page", &page.to_string());
        format!("/flags?{}", query.finish())
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Audience, Name, Percent, Snapshot};

    use super::*;

    fn snapshot(change: impl FnOnce(&mut Flag)) -> Snapshot {
        let mut flag = Flag::new(Name::new("new_form").unwrap());
        (flag.percent, flag.owner) = (Some(Percent::new(20.0).unwrap()), Some("growth".into()));
        change(&mut flag);
        Snapshot::new("r1", vec![flag], vec![], vec![], vec![]).unwrap()
    }

    fn text(snapshot: &Snapshot, filter: Filter, may_write: bool) -> String {
        let frame = Frame { may_write, ..Frame::plain("Flags") };
        let listed = Listed { all: &all(snapshot), traffic: &[], revision: "r1" };
        page(frame, &listed, filter).render().unwrap()
    }

    #[test]
    fn a_flag_is_listed_with_what_can_be_changed() {
        let page = text(&snapshot(|_| {}), Filter::default(), true);
        assert!(page.contains(r#"href="/flags/new_form""#) && page.contains("on for 20 % of visitors"), "{page}");
        assert!(page.contains(r#"name="percent""#) && page.contains("/flags/new_form/off"), "{page}");
        for field in ["owner", "ticket", "expires", "description"] {
            assert!(page.contains(&format!(r#"form="row-new_form" name="{field}""#)), "{field}: {page}");
            assert!(page.contains(&format!(r#"name="seen_{field}""#)), "{field}: {page}");
        }
    }

    #[test]
    fn who_may_only_read_finds_no_button_that_changes() {
        let page = text(&snapshot(|_| {}), Filter::default(), false);
        assert!(!page.contains(r#"method="post""#) && !page.contains("/off") && !page.contains("/edit"), "{page}");
    }

    #[test]
    fn hostile_descriptions_and_owners_are_texts() {
        let hostile = "</td><script>alert(1)</script>\"'";
        let page = text(
            &snapshot(|flag| (flag.description, flag.owner) = (Some(hostile.into()), Some(hostile.into()))),
            Filter { text: "\"><img>".into(), ..Filter::default() },
            true,
        );
        assert!(!page.contains("<script>alert") && !page.contains("<img>"), "{page}");
        let page = text(&snapshot(|flag| flag.description = Some(hostile.into())), Filter::default(), true);
        assert!(!page.contains("<script>alert"), "{page}");
    }

    #[test]
    fn a_filter_keeps_what_fits_and_stays_in_the_address() {
        let fits = |filter| text(&snapshot(|_| {}), filter, true).contains("/flags/new_form");
        assert!(fits(Filter { text: "FORM".into(), state: "split".into(), ..Filter::default() }));
        assert!(!fits(Filter { owner: "other".into(), ..Filter::default() }));
        assert!(!fits(Filter { enabled: "false".into(), ..Filter::default() }));
        let allow = Audience {
            roles: ["staff".into()].into(),
            groups: ["beta".into()].into(),
            authenticated: true,
            ..Audience::default()
        };
        let for_staff = snapshot(|flag| flag.allow = Some(allow));
        for (word, wanted) in [("role staff", true), ("group beta", true), ("role beta", false), ("staff", false)] {
            let filter = Filter { named: word.into(), ..Filter::default() };
            assert_eq!(text(&for_staff, filter, true).contains("/flags/new_form"), wanted, "{word}");
        }
        let offered = text(&for_staff, Filter::default(), true);
        assert!(offered.contains("<option>role staff") && offered.contains("<option>everybody who is logged in"));
        let filter = Filter { owner: "a b".into(), ..Filter::default() };
        assert_eq!(filter.at(2), "/flags?owner=a+b&page=2");
    }
}
