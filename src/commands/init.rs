//! `flagstaff init`: settings, example flags and a key for the app in a folder.

use flagstaff_flags::printable;
use flagstaff_operations::init::{App, FileState, InitAnswer, InitFile, init};
use jiff::Zoned;

use crate::cli::Init;
use crate::commands::{Outcome, logged_in};
use crate::terminal::{FAINT, GOOD, STRONG, json, out, styled};

pub(crate) fn run(args: &Init) -> anyhow::Result<Outcome> {
    let owner = logged_in();
    let wanted =
        flagstaff_operations::init::Init { folder: &args.dir, owner: owner.as_deref(), today: Zoned::now().date() };
    let answer = init(&wanted)?;
    if args.json {
        json(&answer)?;
    } else {
        out(&text(args, &answer))?;
    }
    Ok(Outcome::Yes)
}

fn text(args: &Init, answer: &InitAnswer) -> String {
    let mut text = format!("{} {}\n", label("app"), app(&answer.app));
    text += &answer.files.iter().map(file).collect::<String>();
    if !answer.not_ignored.is_empty() {
        let all = answer.not_ignored.join(", ");
        text += &format!("There is no .gitignore here. Do not commit: {all}\n");
    }
    let is_new = answer.files.iter().any(|file| file.state == FileState::Written);
    if !is_new {
        text += "Everything is there already, and nothing was changed.\n";
    }
    let inside = if args.dir == std::path::Path::new(".") {
        String::new()
    } else {
        format!(" in {}", printable(&args.dir.display().to_string()))
    };
    let app = answer.app.start.as_ref().map(|start| format!(" Start your app ({start}).")).unwrap_or_default();
    text += &format!("\nNext{inside}:{app}\n");
    let [serve, add] = &answer.next;
    text += &format!(
        "  {}  {}\n",
        styled(GOOD, &format!("{serve:<46}")),
        styled(FAINT, "then open http://127.0.0.1:8080")
    );
    text += &format!("  {}  {}\n", styled(GOOD, &format!("{add:<46}")), styled(FAINT, "a flag of your own"));
    text
}

fn label(word: &str) -> String {
    styled(STRONG, &format!("{word:<9}"))
}

fn app(app: &App) -> String {
    let waffle = if app.waffle { ", with django-waffle" } else { "" };
    match (&app.framework, &app.told_by) {
        (Some(name), Some(file)) => format!("{name}{waffle} ({}), at {}", printable(file), app.upstream),
        _ => {
            format!("no file here tells what it is; write its address to flagstaff.toml in place of {}", app.upstream)
        }
    }
}

fn file(file: &InitFile) -> String {
    let word = match file.state {
        FileState::Written => "wrote",
        FileState::Extended => "added to",
        FileState::Kept => "kept",
    };
    format!("{} {}\n", label(word), file.path)
}
