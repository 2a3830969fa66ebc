//! The form with everything that can be changed of a flag from a page.

use std::collections::BTreeSet;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use flagstaff_flags::{Audience, Flag};
use flagstaff_operations::flags::ListedState;
use flagstaff_operations::workspace::find;
use serde::Deserialize;

use super::failure::Answered;
use super::frame::{Frame, Section, Visit};
use super::listed::{Seen, one};
use crate::Context;
use crate::access::Writer;
use crate::extract::{Path, Query};

/// Roles that are offered even where no flag names them yet: those of django-waffle.
const ROLES: [&str; 2] = ["staff", "superuser"];

#[derive(Default, Deserialize)]
#[serde(default)]
struct EditQuery {
    anew: String,
}

/// A field for a text, or for a list with commas.
struct Field {
    field: &'static str,
    label: &'static str,
    example: &'static str,
    value: String,
    is_date: bool,
    is_wide: bool,
}

struct Role {
    name: String,
    is_set: bool,
}

#[derive(Template)]
#[template(path = "edit.html")]
struct EditPage {
    frame: Frame,
    flag: String,
    means: String,
    revision: String,
    /// Why what decides cannot be edited just so.
    locked: Option<&'static str>,
    unlocked: bool,
    enabled: bool,
    edits_percent: bool,
    percent: String,
    lists: Vec<Field>,
    roles: Vec<Role>,
    seen_roles: String,
    authenticated: bool,
    notes: Vec<Field>,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/flags/{flag}/edit", get(edit))
}

async fn edit(
    State(context): State<Context>,
    visit: Visit,
    Path(name): Path<String>,
    Query(asked): Query<EditQuery>,
    _: Writer,
) -> Answered {
    let snapshot = context.snapshot();
    let (_, flag) = find(&snapshot, &name)?;
    let frame = visit.frame(format!("Edit {}", flag.name), Section::Flags);
    let page = one(&snapshot, &name).map(|seen| page(frame, &seen, snapshot.revision(), !asked.anew.is_empty()));
    Ok(page.map(|page| visit.show(&page)).unwrap_or_default())
}

fn page(frame: Frame, seen: &Seen<'_>, revision: &str, unlocked: bool) -> EditPage {
    let flag = seen.flag;
    let nobody = Audience::default();
    let allow = flag.allow.as_ref().unwrap_or(&nobody);
    let roles: Vec<_> = sorted(&allow.roles).map(ToOwned::to_owned).collect();
    let offered: BTreeSet<_> = roles.iter().map(String::as_str).chain(ROLES).collect();
    EditPage {
        frame,
        flag: flag.name.to_string(),
        means: seen.means.clone(),
        revision: revision.into(),
        locked: locked(seen),
        unlocked,
        enabled: flag.enabled,
        edits_percent: flag.rollout.is_none(),
        percent: seen.written_percent(),
        lists: lists(allow),
        roles: offered
            .into_iter()
            .map(|name| Role { name: name.into(), is_set: allow.roles.contains(name) })
            .collect(),
        seen_roles: roles.join(", "),
        authenticated: allow.authenticated,
        notes: notes(flag),
    }
}

/// Why an edit of what decides is not made just so.
fn locked(seen: &Seen<'_>) -> Option<&'static str> {
    if seen.listed.state == ListedState::Tripped {
        return Some(
            "Its guard rolled it back. An edit of who gets it clears that: the flag starts again for everybody.",
        );
    }
    let is_running = seen.flag.rollout.is_some() && seen.may_switch_off();
    is_running.then_some("Its rollout runs. An edit of who gets it starts the rollout again, at its first step.")
}

fn lists(allow: &Audience) -> Vec<Field> {
    let of = |field, label, example, value| Field { field, label, example, value, is_date: false, is_wide: false };
    let join = |set: &_| sorted(set).collect::<Vec<_>>().join(", ");
    vec![
        of("groups", "Groups", "beta, partners", join(&allow.groups)),
        of("users", "Users, by their ids", "7, 42", join(&allow.users)),
        of("languages", "Languages", "de, pt-BR", allow.languages.join(", ")),
    ]
}

fn sorted(set: &std::collections::HashSet<String>) -> impl Iterator<Item = &str> {
    set.iter().map(String::as_str).collect::<BTreeSet<_>>().into_iter()
}

fn notes(flag: &Flag) -> Vec<Field> {
    let of = |field, label, value: &Option<String>| Field {
        field,
        label,
        example: "",
        value: value.clone().unwrap_or_default(),
        is_date: false,
        is_wide: false,
    };
    let expires = flag.expires.map(|date| date.to_string());
    vec![
        Field { is_wide: true, ..of("description", "What it is for", &flag.description) },
        of("owner", "Owner", &flag.owner),
        of("ticket", "Ticket", &flag.ticket),
        Field { is_date: true, ..of("expires", "Expires", &expires) },
    ]
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Hold, Name, Percent, Rollout, RolloutStep, Snapshot};

    use super::*;

    fn text(change: impl FnOnce(&mut Flag), unlocked: bool) -> String {
        let mut flag = Flag::new(Name::new("new_form").unwrap());
        change(&mut flag);
        let snapshot = Snapshot::new("r1", vec![flag], vec![], vec![], vec![]).unwrap();
        let frame = Frame { may_write: true, ..Frame::plain("Edit") };
        page(frame, &one(&snapshot, "new_form").unwrap(), "r1", unlocked).render().unwrap()
    }

    #[test]
    fn every_input_has_its_label_and_the_value_that_was_seen() {
        let allow = Audience { roles: ["staff".into()].into(), languages: vec!["de".into()], ..Audience::default() };
        let page = text(|flag| (flag.allow, flag.owner) = (Some(allow), Some("a\"b<".into())), false);
        for field in ["groups", "users", "languages", "description", "owner", "ticket", "expires", "percent"] {
            assert!(page.contains(&format!(r#"<label for="{field}""#)), "{field}: {page}");
            assert!(page.contains(&format!(r#"name="seen_{field}""#)), "{field}: {page}");
        }
        assert!(page.contains(r#"name="role" value="staff" checked"#), "{page}");
        assert!(page.contains(r#"name="role" value="superuser">"#) && !page.contains("a\"b<"), "{page}");
        assert!(page.contains(r#"name="revision" value="r1""#));
    }

    #[test]
    fn a_running_rollout_is_locked_until_it_is_said_that_it_starts_anew() {
        let step = RolloutStep { percent: Percent::new(10.0).unwrap(), hold: Hold::Approval, min_visitors: None };
        let last = RolloutStep { percent: Percent::ALL, hold: Hold::End, min_visitors: None };
        let rollout = Rollout::new(None, vec![step, last]).unwrap();
        let page = text(|flag| flag.rollout = Some(rollout.clone()), false);
        assert!(page.contains("<fieldset disabled><legend>Who gets it") && page.contains("?anew=1"), "{page}");
        assert!(page.contains("<fieldset><legend>Notes"), "{page}");
        assert!(text(|flag| flag.rollout = Some(rollout), true).contains("<fieldset><legend>Who gets it"));
    }
}
