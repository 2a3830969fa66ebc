//! Several people, and several programs, at once: nobody does by a page what they did not see, and nobody else puts words into one.

use crate::admin_pages::{FLAGS, READ_TOKEN, TOKEN, flags, hidden, in_each_store, page, post, send, start};
use crate::harness::eventually;
use crate::harness::program::Program;
use crate::harness::raw::Answer;

#[test]
fn an_end_is_of_the_flag_that_was_seen() {
    in_each_store().iter().for_each(an_end_is_of_the_flag_that_was_seen_in);
}

fn an_end_is_of_the_flag_that_was_seen_in(program: &Program) {
    let seen = post(program, "/flags/form/end", "winner=on").text();
    let form = |shown: &str| format!("winner=on&confirmed=1&revision={}", hidden(shown, "revision"));
    let by_hand = FLAGS.replace("50 # half", "50 # do not end");
    program.save_flags(&by_hand);
    for form in ["winner=on&confirmed=1".to_owned(), form(&seen)] {
        let answer = post(program, "/flags/form/end", &form);
        assert_eq!(answer.status, 409, "{}", answer.text());
        assert!(answer.text().contains("Something happened meanwhile"), "{}", answer.text());
        assert_eq!(flags(program), by_hand);
    }
    let seen = post(program, "/flags/form/end", "winner=on").text();
    assert_eq!(post(program, "/flags/form/end", &form(&seen)).status, 303);
    assert_ne!(flags(program), by_hand);
}

#[test]
fn a_command_that_two_people_give_at_once_is_one() {
    in_each_store().iter().for_each(a_command_that_two_people_give_at_once_is_one_in);
}

fn a_command_that_two_people_give_at_once_is_one_in(program: &Program) {
    let steps = "steps = [{ percent = 1, hold = \"9h\" }, { percent = 2, hold = \"9h\" }, { percent = 3, hold = \"9h\" }, { percent = 100 }]";
    program.save_flags(&format!("[flags.ramp]\nowner = \"growth\"\n[flags.ramp.rollout]\n{steps}\n"));
    eventually("it stands at the first step", || page(program, "/flags/ramp").contains("Go to the next step now"));
    let [on_flag, on_list] = ["/flags/ramp", "/rollouts"].map(|path| page(program, path));
    assert_eq!(hidden(&on_flag, "seen"), hidden(&on_list, "seen"));
    let step = || send(program, TOKEN, "GET /api/v1/flags/ramp/rollout", "", "").json()["step"].clone();
    let form = format!("command=advance&seen={}", hidden(&on_flag, "seen"));
    assert_eq!(post(program, "/flags/ramp/rollout", &form).status, 303);
    assert_eq!(step(), 2);
    for form in [&*form, "command=advance", "command=advance&seen=x"] {
        let again = post(program, "/flags/ramp/rollout", form);
        assert_eq!((again.status, again.field("location").as_deref()), (303, Some("/flags/ramp")), "{form}");
        let told = send(program, TOKEN, "GET /flags/ramp", &said(&again), "").text();
        assert!(told.contains("Nothing was done") && told.contains("2 %"), "{told}");
        assert_eq!(step(), 2, "{form}");
    }
}

/// The cookie that carries what the next page says, as a field.
fn said(answer: &Answer) -> String {
    format!("Cookie: {}\r\n", answer.field("set-cookie").unwrap().split(';').next().unwrap())
}

#[test]
fn nobody_else_puts_words_into_a_page() {
    let (program, other) = (start(), start());
    let saved = post(&program, "/flags/form/save", "key=percent&value=20&was=50");
    let ours = said(&saved);
    let name = ours.trim_start_matches("Cookie: ").split('=').next().unwrap().to_owned();
    assert!(
        name.ends_with(&program.admin.port().to_string()),
        "two programs on one host have cookies of their own: {name}"
    );
    let shown = |program: &Program, token: &str, cookie: &str| {
        let text = send(program, token, "GET /flags", cookie, "").text();
        assert!(text.contains("<h1>Flags</h1>"), "{text}");
        text.contains("class=\"said\"")
    };
    assert!(shown(&program, TOKEN, &ours), "it is said once");
    let words = "text=Press+Undo&flag=form&key=percent&value=100";
    for forged in [
        words.to_owned(),
        format!("9999999999.{words}.c2lnbmVk"),
        ours.split_once('=').unwrap().1.trim_end().replace('.', "A."),
    ] {
        let both = format!("Cookie: flagstaff_said={forged}; {name}={forged}\r\n");
        assert!(!shown(&program, TOKEN, &both), "{both}");
    }
    assert!(!shown(&program, READ_TOKEN, &ours), "it was for another caller");
    let renamed = ours.replace(&program.admin.port().to_string(), &other.admin.port().to_string());
    let other_token = shown(&other, TOKEN, &ours);
    assert!(!other_token, "{renamed}");
}
