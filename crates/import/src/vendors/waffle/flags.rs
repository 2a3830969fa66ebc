//! What a row becomes in the flag file.

use super::tables::{FlagRow, Named, SampleRow, SwitchRow, WaffleTables};
use crate::model::names::Names;
use crate::model::{Audience, Flag, Imported, Note, Share};
use crate::options::Options;

/// Letters of a name that can be part of a cookie's name and is one of waffle's.
const LONGEST_NAME: usize = 100;

/// All rows as flags: waffle's flags first, then switches, then samples.
pub(super) fn imported(tables: &WaffleTables, options: &Options) -> Imported {
    let mut naming = Naming::default();
    let mut flags = Vec::new();
    for row in &tables.flags {
        let flag = of_flag(row, options);
        flags.push(naming.named(flag, "flag", &row.name));
    }
    for row in &tables.switches {
        flags.push(naming.named(of_switch(row), "switch", &row.name));
    }
    for row in &tables.samples {
        flags.push(naming.named(of_sample(row), "sample", &row.name));
    }
    Imported { flags, ..Imported::default() }
}

/// Names of the flag file, given as its writer gives them.
#[derive(Default)]
struct Naming {
    given: Names,
    /// Names of waffle that are taken, by the kind that has them.
    taken: Vec<(String, &'static str)>,
}

impl Naming {
    /// With its name in waffle, where that is another one.
    fn named(&mut self, mut flag: Flag, kind: &'static str, name: &str) -> Flag {
        let here = self.given.give(name);
        let before = self.taken.iter().find(|(taken, _)| taken == name).map(|(_, kind)| *kind);
        if let Some(before) = before {
            flag.lost(format!(
                "A {before} is called `{name}` too. Here both would be one flag, so this is `{here}`: have the code ask for that name."
            ));
            return flag;
        }
        self.taken.push((name.to_owned(), kind));
        if here == name {
            return flag;
        }
        if is_cookie_name(name) {
            flag.waffle_name = Some(name.to_owned());
        } else {
            flag.lost(format!("`{name}` cannot be part of a cookie's name: have the code ask for `{here}`."));
        }
        flag
    }
}

fn is_cookie_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(fits)
}

fn described(name: &str, note: &str, created: Option<&String>) -> Flag {
    let description = Some(note.to_owned()).filter(|note| !note.is_empty());
    Flag { description, created: created.cloned(), ..Flag::new(name) }
}

fn of_flag(row: &FlagRow, options: &Options) -> Flag {
    let mut flag = described(&row.name, &row.note, row.created.as_ref());
    if row.everyone == Some(true) {
        flag.remark("It was on for everyone, whatever else waffle's row says.");
        return flag;
    }
    flag.enabled = row.everyone.is_none();
    flag.testing = row.testing;
    if row.testing {
        flag.remark("A visitor chooses with `?flagstaff.NAME=on`; in waffle it was `?dwft_NAME=1`.");
    }
    people(row, &mut flag);
    share(row, options, &mut flag);
    flag
}

/// Whom waffle names; it asks for them before it draws, as the flag file does.
fn people(row: &FlagRow, flag: &mut Flag) {
    let roles = [("superuser", row.superusers), ("staff", row.staff)];
    flag.allow = Audience {
        users: row.users.known.clone(),
        groups: row.groups.known.clone(),
        roles: roles.into_iter().filter(|(_, has)| *has).map(|(role, _)| role.to_owned()).collect(),
        authenticated: row.authenticated,
        languages: row.languages.clone(),
        ..Audience::default()
    };
    unknown(flag, "user", &row.users, "dump without --natural-foreign, or dump the users too");
    unknown(flag, "group", &row.groups, "dump with `auth.group`, so that their names are known");
    for group in row.groups.known.iter().filter(|group| group.contains(',') || !group.is_ascii()) {
        flag.lost(format!("The group `{group}` has a comma or letters beyond ASCII, and headers cannot tell who is in it: rename it."));
    }
    if !row.languages.is_empty() {
        flag.remark("Waffle looks at the language that Django chose for the page; here it is the visitor's preferred one (Accept-Language).");
    }
}

fn unknown(flag: &mut Flag, what: &str, named: &Named, mend: &str) {
    if !named.unknown.is_empty() {
        let all = named.unknown.join(", ");
        flag.lost(format!("It names the {what} {all} in a way that does not say who that is: {mend}."));
    }
}

fn share(row: &FlagRow, options: &Options, flag: &mut Flag) {
    let Some(percent) = row.percent else {
        if flag.allow == Audience::default() {
            flag.percent = Some(Share::NOBODY);
        }
        return;
    };
    flag.percent = Some(percent);
    flag.sticky = Some("visitor".into());
    flag.waffle_cookie_until = options.until.map(|day| day.to_string());
    flag.remark("Waffle drew each visitor at random, and only the visitor's own cookie knows. Who comes with it keeps that side; everybody else is drawn here.");
    if row.rollout {
        flag.remark("Waffle's rollout mode drew those who were out again in each session; here they stay out as long as their cookie lasts.");
    }
}

fn of_switch(row: &SwitchRow) -> Flag {
    Flag { enabled: row.active, ..described(&row.name, &row.note, row.created.as_ref()) }
}

fn of_sample(row: &SampleRow) -> Flag {
    let mut flag = described(&row.name, &row.note, row.created.as_ref());
    flag.percent = Some(row.percent);
    flag.bucket_by = Some("request".into());
    Note::add(
        &mut flag.notes,
        Note::remark("A sample: drawn for each request, where waffle drew each time it was asked."),
    );
    flag
}
