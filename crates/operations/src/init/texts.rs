//! What is written.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::framework::App;

/// How long the example flag may stay (days).
const EXAMPLE_DAYS: i32 = 90;

/// The settings of an app: its flags, and what is where.
pub(super) fn settings(app: &App, flags: &str, keys: &str) -> String {
    let what = match (&app.framework, &app.start) {
        (Some(name), Some(start)) => format!("Your app: where the development server of {name} listens (`{start}`)."),
        _ => "Your app. No file of this folder tells where it listens: write its address here.".into(),
    };
    let waffle = if app.waffle {
        "waffle = true                    # this app uses django-waffle, which finds its flags in its own cookies"
    } else {
        "# waffle = true                  # for an unmodified django-waffle app: its flags come in its own cookies"
    };
    let upstream = &app.upstream;
    format!(
        r#"# Settings of `flagstaff run` for this app. Every key is optional; a line behind a # shows an example.
# Each key has an environment variable too, which overrides the file: FLAGSTAFF_LISTEN, FLAGSTAFF_TIMEOUTS_CONNECT, …
# Paths are relative to this file. `flagstaff run --dry-run` checks it.

# The address for visitors: open http://127.0.0.1:8080 instead of the app's own address.
listen = ["127.0.0.1:8080"]

# {what}
# host:port, an address with http:// or https://, or "unix:/run/app.sock". Several addresses take turns.
upstream = ["{upstream}"]

# For operators: pages and API for those with the token, /healthz, /readyz and /metrics for everybody. When the program starts for the
# first time, it makes the token and prints a link with it.
admin = "127.0.0.1:8081"

# The flags. A saved change is in force within a second.
flags = "{flags}"

# What happened, for `flagstaff results`: a SQLite file, or "postgres://user:password@host/database"; "none" keeps nothing.
ledger = "flagstaff.db"

# The folder of what the program must remember. It belongs to this machine: do not commit it.
state = "flagstaff-state"

# The secrets that sign cookies, links and headers, one a line. In production set FLAGSTAFF_KEYS instead.
keys_file = "{keys}"

[headers]
# send = "compact"               # one header X-Flags for hundreds of flags, instead of one for each
{waffle}

# [user]                         # the user who is logged in
# header = "X-User-Id"           # a header from trusted addresses

# [trust]
# addresses = ["10.0.0.0/8"]     # of a load balancer in front: its X-Forwarded-* headers count

# [log]
# access = true                  # one line per answer, with visitor and flags
"#
    )
}

/// Example flags.
pub(super) fn flags(app: &App, owner: Option<&str>, today: Date) -> String {
    let expires = today.checked_add(EXAMPLE_DAYS.days()).unwrap_or(today);
    let owner = owner.filter(|owner| is_plain(owner)).unwrap_or("me");
    let reads = &app.reads;
    format!(
        r#"# The flags of this app. A saved change is in force within a second, and a broken file changes nothing.
# `flagstaff check` shows every mistake. `flagstaff add NAME percent=20 owner=NAME` adds a flag.

# A first flag, to see that it works: half of the visitors get it, and keep it. The app finds it in a header:
#     {reads}
[flags.example]
description = "A first flag"
owner = "{owner}"                   # who is asked about it
created = {today}
expires = {expires}            # when it should be gone; it changes no decision
percent = 50                    # of visitors; raising it takes the flag from nobody

# What else a flag can be. Take the # away to use one.

# An experiment with a goal: `flagstaff results new_form` shows which variant wins.
# [flags.new_form]
# owner = "{owner}"
# created = {today}
# expires = {expires}
# percent = 50
# exposed_on = ["GET /contact*"]
# goals = ["contact_sent"]

# [goals.contact_sent]
# on = "POST /contact"
# status = "2xx,3xx"

# A rollout that rises by itself, and is rolled back when visitors with the flag get more errors than visitors without it.
# [flags.new_checkout]
# owner = "{owner}"
# created = {today}
# expires = {expires}
# rollout.steps = [{{ percent = 5, hold = "1h" }}, {{ percent = 25, hold = "1d" }}, {{ percent = 100, hold = "1d" }}]
# guard.errors = "5xx"

# For some people only.
# [flags.new_dashboard]
# owner = "{owner}"
# created = {today}
# expires = {expires}
# allow = {{ roles = ["staff"], users = ["7"] }}
"#
    )
}

/// Whether a name can stand between quotes as it is.
fn is_plain(name: &str) -> bool {
    (1..=40).contains(&name.chars().count()) && name.chars().all(|c| c.is_alphanumeric() || "-_. ".contains(c))
}

#[cfg(test)]
mod tests {
    use flagstaff_source::{ParseOptions, Text, parse};

    use super::super::framework::detect;
    use super::*;

    #[test]
    fn the_flags_are_valid_and_so_are_those_behind_a_hash() {
        let folder = tempfile::tempdir().unwrap();
        let today = "2026-11-29".parse().unwrap();
        let text = flags(&detect(folder.path()), Some("Zoë \"quoted\""), today);
        let options = ParseOptions { today: Some(today), ..ParseOptions::default() };
        let is_toml = |line: &&str| ["[", "[["].iter().any(|mark| line.starts_with(mark)) || line.contains(" = ");
        let all = text.lines().map(|line| line.strip_prefix("# ").filter(is_toml).unwrap_or(line));
        let all = all.collect::<Vec<_>>().join("\n");
        for (text, count) in [(&text, 1), (&all, 4)] {
            let loaded = parse(Text { name: "flags.toml", bytes: text.as_bytes() }, None, &options).unwrap();
            assert!(loaded.report.problems().is_empty(), "{}", loaded.report.render(false));
            assert_eq!(loaded.snapshot.flags().len(), count);
            assert_eq!(loaded.snapshot.flags()[0].owner.as_deref(), Some("me"));
        }
    }
}
