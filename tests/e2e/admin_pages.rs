//! The pages of the operators' address, as a browser without script uses them.

use crate::harness::crowd::look;
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};
use crate::harness::raw::{Answer, Raw};
use crate::harness::stores::Store;

pub(crate) const FLAGS: &str = "# ours\n[flags.form]\ndescription = \"<script>alert(1)</script>\"\nowner = \"growth\"\npercent = 50 # half\n\n\
                     [flags.ramp]\nowner = \"growth\"\n[flags.ramp.rollout]\nsteps = [{ percent = 10, hold = \"approval\" }, { percent = 100 }]\n";
pub(crate) const TOKEN: &str = "a-token-that-operators-use";
pub(crate) const READ_TOKEN: &str = "a-token-that-only-reads";

pub(crate) fn start() -> Program {
    start_in(&Store::File)
}

fn start_in(store: &Store) -> Program {
    let setup = Setup::default().kept_in(store).flags(FLAGS).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN);
    setup.env("FLAGSTAFF_ADMIN_READ_TOKEN", READ_TOKEN).start()
}

/// What is edited is edited in every place where flags are kept.
pub(crate) fn in_each_store() -> Vec<Program> {
    Store::all().iter().map(start_in).collect()
}

#[track_caller]
pub(crate) fn send(program: &Program, token: &str, request: &str, cookie: &str, form: &str) -> Answer {
    let mut raw = Raw::connect(program.admin);
    let length = form.len();
    raw.send(format!(
        "{request} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nAccept: text/html\r\n{cookie}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}",
        program.admin
    ));
    raw.answer()
}

#[track_caller]
pub(crate) fn page(program: &Program, path: &str) -> String {
    let answer = send(program, TOKEN, &format!("GET {path}"), "", "");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert_eq!(answer.field("content-type").as_deref(), Some("text/html; charset=utf-8"));
    String::from_utf8(answer.body).unwrap()
}

#[track_caller]
pub(crate) fn post(program: &Program, path: &str, form: &str) -> Answer {
    send(program, TOKEN, &format!("POST {path}"), "", form)
}

pub(crate) fn flags(program: &Program) -> String {
    program.document(None).unwrap()
}

/// The value of a hidden field.
#[track_caller]
pub(crate) fn hidden<'p>(page: &'p str, name: &str) -> &'p str {
    let start = format!("name=\"{name}\" value=\"");
    page.split(&start).nth(1).unwrap_or_else(|| panic!("{name}: {page}")).split('"').next().unwrap()
}

#[test]
fn every_page_is_there_and_holds_no_script_of_its_own() {
    let program = start();
    let paths = [
        "/",
        "/flags",
        "/flags?text=form&state=split&owner=growth",
        "/flags/form",
        "/flags/form/edit",
        "/flags/form/off",
        "/flags/form/on",
        "/flags/form/end",
        "/flags/ramp",
        "/rollouts",
        "/results",
        "/results/form",
        "/simulator/form",
        "/simulator/form?percent=37",
        "/history",
        "/history?flag=form",
        "/hygiene",
        "/fleet",
        "/explain",
        "/explain?flag=form&visitor=v-1",
        "/tail",
        "/tail?flag=form&visitor=%7E00ff",
    ];
    for path in paths {
        let page = page(&program, path);
        assert!(
            !page.contains("<script>") && !page.contains("style=") && !page.contains(" onclick"),
            "{path}: {page}"
        );
        assert!(page.len() < 100_000, "{path}: {} bytes", page.len());
        assert!(page.contains("<h1"), "{path}");
    }
    let css = page(&program, "/").split("href=\"/assets/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let answer = send(&program, TOKEN, &format!("GET /assets/{css}"), "", "");
    assert_eq!(answer.status, 200);
    assert!(answer.field("cache-control").unwrap().contains("immutable"));
    for path in ["/flags/none", "/results/none", "/simulator/none", "/flags/none/edit", "/history/zz", "/nothing"] {
        let answer = send(&program, TOKEN, &format!("GET {path}"), "", "");
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.text().contains("<h1"), "{path}: {}", answer.text());
    }
}

#[test]
fn a_flag_is_turned_off_and_on_again() {
    in_each_store().iter().for_each(a_flag_is_turned_off_and_on_again_in);
}

fn a_flag_is_turned_off_and_on_again_in(program: &Program) {
    assert!(page(program, "/flags/form/off").contains("flagstaff on form"));
    let answer = post(program, "/flags/form/off", "");
    assert_eq!((answer.status, answer.field("location").as_deref()), (303, Some("/flags/form")), "{}", answer.text());
    assert!(flags(program).contains("enabled = false"));
    let said = format!("Cookie: {}\r\n", answer.field("set-cookie").unwrap().split(';').next().unwrap());
    let next = send(program, TOKEN, "GET /flags/form", &said, "");
    assert!(next.text().contains("form is now off for everyone"), "{}", next.text());
    assert!(next.field("set-cookie").unwrap().contains("Max-Age=0"));
    eventually("the page has it off", || page(program, "/flags/form").contains("Turn on"));
    assert_eq!(post(program, "/flags/form/on", "").status, 303);
    assert!(flags(program).contains("enabled = true"));
}

#[test]
fn an_edit_is_shown_before_it_is_made_and_keeps_comments() {
    in_each_store().iter().for_each(an_edit_is_shown_before_it_is_made_and_keeps_comments_in);
}

fn an_edit_is_shown_before_it_is_made_and_keeps_comments_in(program: &Program) {
    let list = page(program, "/flags");
    let (revision, seen) = (hidden(&list, "revision"), hidden(&list, "seen_percent"));
    assert_eq!(seen, "50");
    let shown =
        post(program, "/flags/form/preview", &format!("revision={revision}&seen_percent=50&percent=20")).text();
    assert!(shown.contains("<del>50</del>") && shown.contains("<ins>20</ins>"), "{shown}");
    assert!(shown.contains("on for 20 % of visitors"), "{shown}");
    assert_eq!(flags(program), FLAGS, "nothing is written before it is confirmed");
    let form = format!("revision={}&key=percent&value=20&was=50", hidden(&shown, "revision"));
    let saved = post(program, "/flags/form/save", &form);
    assert_eq!(saved.status, 303, "{}", saved.text());
    assert_eq!(flags(program), FLAGS.replace("50 # half", "20 # half"));
    let said = format!("Cookie: {}\r\n", saved.field("set-cookie").unwrap().split(';').next().unwrap());
    let next = send(program, TOKEN, "GET /flags/form", &said, "").text();
    assert!(
        next.contains("Undo") && next.contains("name=\"key\" value=\"percent\"") && next.contains("value=\"50\"")
    );
}

#[test]
fn a_field_that_is_emptied_leaves_the_file_and_others_stay() {
    in_each_store().iter().for_each(a_field_that_is_emptied_leaves_the_file_and_others_stay_in);
}

fn a_field_that_is_emptied_leaves_the_file_and_others_stay_in(program: &Program) {
    let edit = page(program, "/flags/form/edit");
    let revision = hidden(&edit, "revision");
    let form = format!(
        "revision={revision}&seen_owner=growth&owner=&seen_groups=&groups=beta%2C+x&seen_enabled=true&enabled=true&seen_role="
    );
    let shown = post(program, "/flags/form/preview", &form).text();
    let keys: Vec<_> = shown.match_indices("name=\"key\"").collect();
    assert_eq!(keys.len(), 2, "{shown}");
    let form = format!(
        "revision={revision}&key=owner&value=&was=%22growth%22&key=allow.groups&value=%5B%22beta%22%2C+%22x%22%5D&was="
    );
    assert_eq!(post(program, "/flags/form/save", &form).status, 303);
    let text = flags(program);
    assert!(!text.split("[flags.ramp]").next().unwrap().contains("owner"), "{text}");
    assert!(text.contains("allow = { groups = [\"beta\", \"x\"] }") && text.contains("# half"), "{text}");
}

#[test]
fn an_edit_of_the_file_meanwhile_is_shown_as_a_conflict_and_nothing_is_lost() {
    in_each_store().iter().for_each(an_edit_of_the_file_meanwhile_is_shown_as_a_conflict_and_nothing_is_lost_in);
}

fn an_edit_of_the_file_meanwhile_is_shown_as_a_conflict_and_nothing_is_lost_in(program: &Program) {
    let list = page(program, "/flags");
    let revision = hidden(&list, "revision");
    let by_hand = FLAGS.replace("50 # half", "40 # by hand");
    program.write_document(None, &by_hand);
    for path in ["preview", "save"] {
        let form = format!("revision={revision}&key=percent&value=20&was=50");
        let answer = post(program, &format!("/flags/form/{path}"), &form);
        assert_eq!(answer.status, 409, "{path}: {}", answer.text());
        let text = answer.text();
        assert!(
            text.contains(">50<") && text.contains("40 <span") && text.contains("<ins>20</ins>"),
            "{path}: {text}"
        );
        assert_eq!(flags(program), by_hand);
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_the_mend() {
    in_each_store().iter().for_each(what_makes_no_sense_is_refused_with_the_mend_in);
}

fn what_makes_no_sense_is_refused_with_the_mend_in(program: &Program) {
    for (form, wanted) in [
        ("seen_percent=50&percent=many", "write a number from 0 to 100"),
        ("seen_percent=50&percent=500", "between 0 and 100"),
        ("key=percent&value=%22many%22", "percent"),
        ("key=nonsense&value=1", "nonsense"),
    ] {
        let answer = post(program, "/flags/form/preview", form);
        assert_eq!(answer.status, 422, "{form}: {}", answer.text());
        assert!(answer.text().contains(wanted), "{form}: {}", answer.text());
    }
    assert_eq!(post(program, "/flags/none/off", "").status, 422);
    assert_eq!(post(program, "/flags/ramp/rollout", "command=dance").status, 422);
    assert_eq!(flags(program), FLAGS);
}

#[test]
fn who_may_only_read_sees_no_button_and_changes_nothing() {
    let program = start();
    for path in ["/", "/flags", "/flags/form", "/flags/ramp", "/rollouts", "/history", "/hygiene", "/fleet"] {
        let answer = send(&program, READ_TOKEN, &format!("GET {path}"), "", "");
        let text = answer.text();
        assert_eq!(answer.status, 200, "{path}: {text}");
        assert!(
            !text.contains("method=\"post\"") && !text.contains("/off\"") && !text.contains("/edit\""),
            "{path}: {text}"
        );
    }
    for path in ["off", "on", "save", "preview", "end", "rollout"] {
        let answer = send(&program, READ_TOKEN, &format!("POST /flags/form/{path}"), "", "key=percent&value=1");
        assert_eq!(answer.status, 403, "{path}");
    }
    assert_eq!(flags(&program), FLAGS);
}

#[test]
fn a_waiting_step_is_approved_from_the_first_page() {
    in_each_store().iter().for_each(a_waiting_step_is_approved_from_the_first_page_in);
}

fn a_waiting_step_is_approved_from_the_first_page_in(program: &Program) {
    eventually("it waits", || page(program, "/").contains("waits at 10 % for an approval to go on to 100 %"));
    let form = format!("command=approve&seen={}", hidden(&page(program, "/"), "seen"));
    let answer = post(program, "/flags/ramp/rollout", &form);
    assert_eq!(answer.status, 303, "{}", answer.text());
    eventually("it was approved", || !page(program, "/").contains("for an approval to go on"));
    assert!(page(program, "/flags/ramp").contains("done"));
}

#[test]
fn a_draft_is_tried_and_not_saved() {
    let program = start();
    let draft = "percent=37&draft=%5Bflags.form%5D%0Avariants+%3D+%7B+a+%3D+50%2C+b+%3D+50+%7D%0A";
    let text = post(&program, "/simulator/form", draft).text();
    assert!(text.contains("with the draft") && text.contains("</svg> a") && text.contains("</svg> b"), "{text}");
    let wrong = post(&program, "/simulator/form", "draft=%5Bflags.form%5D%0Apercent+%3D+900%0A").text();
    assert!(wrong.contains("role=\"alert\"") && wrong.contains("900"), "{wrong}");
    assert_eq!(flags(&program), FLAGS);
}

#[test]
fn an_old_revision_is_put_back_from_the_history() {
    in_each_store().iter().for_each(an_old_revision_is_put_back_from_the_history_in);
}

fn an_old_revision_is_put_back_from_the_history_in(program: &Program) {
    let edited = FLAGS.replace("percent = 50 # half", "percent = 70 # more");
    program.write_document(None, &edited);
    let mut link = String::new();
    eventually("both revisions are listed", || {
        let page = page(program, "/history");
        let found =
            page.split("href=\"/history/").skip(1).find(|rest| rest.split('"').next().unwrap().ends_with("/back"));
        link = found.map(|rest| rest.split('"').next().unwrap().to_owned()).unwrap_or_default();
        !link.is_empty()
    });
    let shown = page(program, &format!("/history/{link}"));
    assert!(shown.contains("percent = 50 # half") && shown.contains("percent = 70 # more"), "{shown}");
    let answer =
        post(program, &format!("/history/{link}"), &format!("revision={}&flag=", hidden(&shown, "revision")));
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(flags(program), FLAGS);
}

#[test]
fn a_flag_is_created_copied_and_ended() {
    in_each_store().iter().for_each(a_flag_is_created_copied_and_ended_in);
}

fn a_flag_is_created_copied_and_ended_in(program: &Program) {
    let form = "name=fresh&like=&seen_description=&description=A+%22new%22+one&seen_owner=&owner=";
    let answer = post(program, "/new-flag", form);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let text = flags(program);
    assert!(text.starts_with(FLAGS) && text.contains("[flags.fresh]") && text.contains("percent = 0"), "{text}");
    assert!(text.contains("description = \"A \\\"new\\\" one\""), "{text}");
    assert_eq!(post(program, "/new-flag", "name=copy&like=form").status, 303);
    assert!(flags(program).contains("[flags.copy]"), "{}", flags(program));
    for (form, wanted) in [("name=form&like=", "form"), ("name=A+b&like=", "A b"), ("name=", "has no name")] {
        let answer = post(program, "/new-flag", form);
        assert_eq!(answer.status, 422, "{form}");
        assert!(answer.text().contains(wanted), "{form}: {}", answer.text());
    }
    let shown = post(program, "/flags/fresh/end", "winner=off&remove=1").text();
    assert!(shown.contains("name=\"confirmed\"") && flags(program).contains("[flags.fresh]"), "{shown}");
    let objections: String =
        shown.split("name=\"objection\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(objections, "", "{shown}");
    let form = format!("winner=off&remove=1&confirmed=1&revision={}", hidden(&shown, "revision"));
    let answer = post(program, "/flags/fresh/end", &form);
    assert_eq!((answer.status, answer.field("location").as_deref()), (303, Some("/flags")), "{}", answer.text());
    assert!(!flags(program).contains("fresh"), "{}", flags(program));
}

#[test]
fn a_visitor_is_explained_with_a_line_that_checks_the_draw() {
    let program = start();
    let shown = page(&program, "/explain?flag=form&visitor=v-1");
    let line = shown.split("<pre tabindex=\"0\">").nth(1).unwrap().split("</pre>").next().unwrap();
    let line = line.replace("&#34;", "\"").replace("&quot;", "\"");
    let printed = std::process::Command::new("python3").arg("-c").arg(&line).output().unwrap();
    let numbers = String::from_utf8(printed.stdout).unwrap();
    let [bucket, position, split] = numbers.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{line}: {numbers}")
    };
    assert!(shown.contains(&format!("bucket {bucket}, position {position}, split {split}")), "{numbers}: {shown}");
    assert!(shown.contains("class=\"decided\""), "{shown}");
    for (wrong, why) in
        [("address=here", "is not an address"), ("header=plan", "is not a header"), ("flag=none", "no flag")]
    {
        let query = format!("GET /explain?flag=form&visitor=v-1&{wrong}")
            .replace("flag=form&visitor=v-1&flag", "visitor=v-1&flag");
        let refused = send(&program, TOKEN, &query, "", "");
        assert!((400..500).contains(&refused.status) && refused.text().contains(why), "{wrong}: {}", refused.text());
    }
}

#[test]
fn a_preview_says_how_many_of_the_last_visitors_move() {
    let program = start();
    let mut raw = program.raw();
    for n in 0..40 {
        look(&mut raw, &format!("recent{n:0>16}"));
    }
    eventually("they are known", || {
        let shown = post(&program, "/flags/form/preview", "key=percent&value=100").text();
        assert!(shown.contains("Tried on real requests:"), "{shown}");
        let told = shown
            .split("moves ")
            .nth(1)
            .and_then(|rest| rest.split(" of the last 40 visitors").next().map(str::to_owned));
        told.is_some_and(|moved| moved.parse::<u32>().is_ok_and(|moved| (1..40).contains(&moved)))
    });
}

#[test]
fn pages_show_how_flags_are_asked_for() {
    let program = start();
    assert!(page(&program, "/flags").contains("never asked for"));
    let mut raw = program.raw();
    for n in 0..40 {
        look(&mut raw, &format!("counted{n:0>15}"));
    }
    eventually("the page says when", || page(&program, "/flags").contains("last asked"));
    let list = page(&program, "/flags");
    assert!(list.contains("data-traffic=\"form\"") && list.contains("40 requests"), "{list}");
    // the share of the last minutes follows once a second
    eventually("the page has the split", || {
        let flag = page(&program, "/flags/form");
        let row = flag.split("<tr data-variant=\"on\">").nth(1).unwrap().split("</tr>").next().unwrap();
        assert!(row.contains("data-expected>50 %<"), "{row}");
        let count: u32 = row.split("data-count>").nth(1).unwrap().split('<').next().unwrap().parse().unwrap();
        assert!((1..40).contains(&count), "{row}");
        row.contains(&format!("data-actual>{} %<", f64::from(count) * 2.5))
    });
}

#[test]
fn what_should_be_tidied_up_has_what_the_program_saw() {
    let program = start();
    program.get("/?flagstaff.typed_wrong=on");
    let shown = page(&program, "/hygiene");
    assert!(shown.contains("Never asked for") && shown.contains("/flags/form"), "{shown}");
    assert!(shown.contains("visitors asked for `typed_wrong` once"), "{shown}");
    look(&mut program.raw(), "counted000000000000001");
    eventually("it was asked for", || !page(&program, "/hygiene").contains("Never asked for"));
}

#[test]
fn an_edit_on_a_page_is_recorded_as_one() {
    in_each_store().iter().for_each(an_edit_on_a_page_is_recorded_as_one_in);
}

fn an_edit_on_a_page_is_recorded_as_one_in(program: &Program) {
    let history = || send(program, TOKEN, "GET /api/v1/flags/form/rollout", "", "").json()["history"].clone();
    eventually("the ledger knows it", || history()[0]["kind"] == "defined");
    let list = page(program, "/flags");
    let form = format!("revision={}&key=percent&value=20&was=50", hidden(&list, "revision"));
    assert_eq!(post(program, "/flags/form/save", &form).status, 303);
    let edited = history()[1].clone();
    assert_eq!((&edited["kind"], &edited["why"]), (&"changed".into(), &"edited on a page".into()), "{edited}");
    assert_eq!(post(program, "/flags/form/off", "").status, 303);
    assert_eq!(history()[2]["why"], "switched off on a page");
}

#[test]
fn notes_are_edited_in_the_list_and_decide_nothing() {
    in_each_store().iter().for_each(notes_are_edited_in_the_list_and_decide_nothing_in);
}

fn notes_are_edited_in_the_list_and_decide_nothing_in(program: &Program) {
    let list = page(program, "/flags");
    let revision = hidden(&list, "revision");
    let form = format!(
        "revision={revision}&seen_percent=50&percent=50&seen_owner=growth&owner=checkout+team&seen_ticket=&ticket=A-1\
         &seen_expires=&expires=2031-01-31&seen_description=a&description=a"
    );
    let shown = post(program, "/flags/form/preview", &form).text();
    assert!(shown.contains("checkout team") && shown.contains("2031-01-31"), "{shown}");
    assert_eq!(shown.matches("name=\"key\"").count(), 3, "{shown}");
    assert_eq!(flags(program), FLAGS, "nothing is written before it is confirmed");
    let form = format!(
        "revision={revision}&key=owner&value=%22checkout+team%22&was=%22growth%22&key=ticket&value=%22A-1%22&was=\
         &key=expires&value=2031-01-31&was="
    );
    assert_eq!(post(program, "/flags/form/save", &form).status, 303);
    let text = flags(program);
    assert!(text.contains("owner = \"checkout team\"") && text.contains("ticket = \"A-1\""), "{text}");
    assert!(text.contains("expires = 2031-01-31") && text.contains("percent = 50 # half"), "{text}");
    for (query, wanted) in [("owner=checkout+team", true), ("owner=growth", false), ("named=role+staff", false)] {
        eventually("the filter fits", || page(program, &format!("/flags?{query}")).contains("flag-form") == wanted);
    }
}
