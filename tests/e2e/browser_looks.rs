//! A real browser: how every page looks, in light and dark, on a wide window and on a phone.

use flagstaff_flags::FactKind;

use crate::harness::chromium::Scenario;
use crate::harness::crowd::{Crowd, form};
use crate::harness::eventually;
use crate::harness::program::Setup;
use crate::harness::receiver::happen_because;

/// A flag in each state there is, and some that are hard to show.
const FLAGS: &str = r#"# Our flags.
[flags.form]
description = "A contact form with three fields instead of nine"
owner = "growth"
ticket = "MKT-142"
created = 2026-11-01
expires = 2099-01-31
percent = 50            # half of the visitors
exposed_on = ["GET /form"]
goals = ["sent", "stayed"]

[flags.colours]
description = "The colour of the button that everybody looks for"
owner = "growth"
variants = { blue = 50, green = 30, a_rather_long_name_of_a_colour = 20 }

[flags.ramp]
owner = "checkout"
[flags.ramp.rollout]
steps = [{ percent = 10, hold = "approval" }, { percent = 25, hold = "1d" }, { percent = 50, hold = "1d" }, { percent = 100, hold = "1d" }]

[flags.checkout]
description = "Checkout on one page"
owner = "checkout"
expires = 2099-03-31
[flags.checkout.rollout]
steps = [{ percent = 25, hold = "30m", min_visitors = 2000 }, { percent = 50, hold = "1d" }, { percent = 100, hold = "1d" }]
[flags.checkout.guard]
errors = "5xx"
slower_than = "800ms"
goals = ["sent"]

[flags.burnt]
owner = "checkout"
expires = 2099-03-31
[flags.burnt.rollout]
steps = [{ percent = 25, hold = "1h" }, { percent = 100 }]
[flags.burnt.guard]
errors = "5xx"

[flags.forgotten]
description = "Nobody knows what this was for, and its description goes on and on, so that it does not fit into a line of the list of flags, on no window"
expires = 2020-01-01

[flags.wordy]
description = "Long://WORD/WORD/WORD/WORD"
owner = "TeamWORDWORDWORD"
ticket = "https://tickets.example/WORDWORDWORD"
created = 2026-11-01
expires = 2020-01-01
variants = { WORD = 50, VARIANT = 50 }
goals = ["sent"]

[flags.switched_off]
owner = "growth"
enabled = false

[flags.a_flag_with_a_name_as_long_as_the_file_allows_it_to_be_and_no_o]
owner = "a team with a name that is longer than most"

[flags.pinned]
owner = "platform"
allow = { groups = ["beta_testers", "the_people_of_the_second_floor"], roles = ["staff"] }
[[flags.pinned.rules]]
if = { country = ["DE", "AT"], "header.x-plan" = "pro" }
serve = "on"

[goals.sent]
on = "POST /form"
status = "2xx,3xx"

[goals.stayed]
on = "GET /form"
"#;

/// With words that no line of any column holds.
fn flags() -> String {
    let variant =
        FLAGS.replace("VARIANT", &"v".repeat(60)).replace("{ WORD = ", &format!("{{ {} = ", "w".repeat(60)));
    variant.replace("WORD", &"Donaudampfschifffahrt".repeat(4))
}

#[test]
fn every_page_can_be_read_by_everybody_on_every_screen() {
    let app = form();
    let setup = Setup::to(&[app.address]).with_token().env("FLAGSTAFF_FLAG_PINNED", "on");
    let program = setup.flags("[flags.form]\npercent = 10\n").start();
    let first = || program.asks("GET", "/history", "").text().contains("href=\"/history/");
    eventually("the first revision is recorded", first);
    program.save_flags(&flags());
    eventually("the rollouts have begun", || program.asks("GET", "/", "").text().contains("for an approval"));
    Crowd { address: program.address, visitors: 1_000, rates: [0.05, 0.25], noise: false }.comes();
    let why = "9 of 31 visitors with the flag had an error, 0 of 95 without it";
    happen_because(&program, "burnt", &[FactKind::Tripped], why);
    happen_because(&program, "wordy", &[FactKind::Tripped], &"why".repeat(80));
    eventually("it is told", || program.asks("GET", "/", "").text().contains("rolled back"));
    let Some(scenario) = Scenario::start("looks.js", &program, &[]) else { return };
    scenario.ends();
}
