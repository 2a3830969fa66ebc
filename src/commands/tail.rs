//! `flagstaff tail`: the last decisions of a running program, and each one as it is made.

use std::time::Duration;

use flagstaff_client::{TailEvent, TailStream};
use flagstaff_flags::printable;
use flagstaff_operations::Error;
use flagstaff_operations::api::TailQuery;
use flagstaff_operations::traffic::{TailLine, TailStart};

use crate::cli::Tail;
use crate::commands::Outcome;
use crate::remote::Remote;
use crate::terminal::{BAD, FAINT, GOOD, ODD, STRONG, err, grouped, json_line, out_to_reader, styled};

/// How long it waits before it tries again, at first and at most.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(8));
/// Digits of a revision that are shown.
const SHORT: usize = 12;
/// Wider names move what stands behind them.
const WIDEST: usize = 32;

/// Ends when nobody reads any more, or the program says that it cannot answer.
pub(crate) fn run(args: &Tail) -> anyhow::Result<Outcome> {
    let remote = Remote::running(&args.remote, &args.flags)?;
    let mut query =
        TailQuery { flag: args.flag.clone(), visitor: args.visitor.clone(), last: args.last.into(), after: None };
    let mut stream = remote.answer(remote.client.tail(&query))?;
    let mut shown = Shown { is_json: args.json, ..Shown::default() };
    loop {
        let why = match follow(&mut stream, &mut shown)? {
            End::NobodyReads => return Ok(Outcome::Yes),
            End::Broke(why) => why,
        };
        err(&format!("{}: {why}; trying again\n", styled(ODD, "the connection to the program broke")));
        query.after = stream.last_id().map(Into::into);
        stream = again(&remote, &query)?;
    }
}

/// Why a stream ended.
enum End {
    NobodyReads,
    Broke(String),
}

fn follow(stream: &mut TailStream, shown: &mut Shown) -> anyhow::Result<End> {
    loop {
        match stream.event() {
            Ok(Some(event)) => {
                if !shown.show(event)? {
                    return Ok(End::NobodyReads);
                }
            }
            Ok(None) => return Ok(End::Broke("it ended".into())),
            Err(error) => return Ok(End::Broke(error.to_string())),
        }
    }
}

/// Tries until the program answers again, less and less often.
///
/// # Errors
/// When the program answers that it will not: the token is another one, or the flag is gone.
fn again(remote: &Remote, query: &TailQuery) -> anyhow::Result<TailStream> {
    let (mut wait, most) = WAITS;
    loop {
        // not all at once, where many wait for one program
        std::thread::sleep(wait.mul_f64(0.5 + fastrand::f64()));
        match remote.client.tail(query) {
            Err(error) if may_pass(&error) => wait = (wait * 2).min(most),
            answer => return remote.answer(answer),
        }
    }
}

/// Whether the same question may be answered later.
fn may_pass(error: &Error) -> bool {
    matches!(error, Error::Elsewhere(problem) if !(400..500).contains(&problem.status) || problem.status == 429)
}

/// What was shown so far.
#[derive(Default)]
struct Shown {
    is_json: bool,
    start: Option<TailStart>,
    flag_width: usize,
    variant_width: usize,
}

impl Shown {
    /// Shows an event. Says whether somebody still reads.
    fn show(&mut self, event: TailEvent) -> anyhow::Result<bool> {
        match event {
            TailEvent::Start(start) => self.begins(start),
            TailEvent::Missed(missed) => err(&missed_text(missed)),
            TailEvent::Decision(line) if self.is_json => return json_line(&line),
            TailEvent::Decision(line) => {
                let text = self.line(&line);
                return out_to_reader(&text);
            }
        }
        Ok(true)
    }

    /// A connection after the first one says what became of the program.
    fn begins(&mut self, start: TailStart) {
        let said = match &self.start {
            None => None,
            Some(before) if before.since == start.since => Some("connected again".to_owned()),
            Some(_) => {
                Some(format!("connected again: the program has restarted, with flags {}", short(&start.revision)))
            }
        };
        said.into_iter().for_each(|said| err(&format!("{}\n", styled(ODD, &said))));
        self.start = Some(start);
    }

    fn line(&mut self, line: &TailLine) -> String {
        let widen = |width: &mut usize, text: &str| *width = text.len().min(WIDEST).max(*width);
        widen(&mut self.flag_width, &line.flag);
        widen(&mut self.variant_width, &line.variant);
        let (flag, variant) = (&line.flag, &line.variant);
        let (flag_width, variant_width) = (self.flag_width, self.variant_width);
        let style = match line.step.as_str() {
            "tripped" => BAD,
            "disabled" | "pinned" | "override" => ODD,
            _ if line.variant == "off" => FAINT,
            _ => GOOD,
        };
        let uncounted = line.not_counted.as_ref().map(|why| format!(" (not counted: {why})")).unwrap_or_default();
        format!(
            "{} {} {} {}{} {} {} {} {}\n",
            styled(FAINT, line.at.get(11..).unwrap_or(&line.at)),
            styled(STRONG, &format!("{flag:flag_width$}")),
            styled(style, &format!("{variant:variant_width$}")),
            line.why,
            styled(ODD, &uncounted),
            styled(FAINT, short(&line.revision)),
            printable(&line.visitor),
            line.method,
            printable(&line.path),
        )
    }
}

fn short(revision: &str) -> &str {
    revision.get(..SHORT).unwrap_or(revision)
}

fn missed_text(missed: Option<u64>) -> String {
    let count = missed.map_or_else(
        || "some requests".into(),
        |missed| match missed {
            1 => "1 request".to_owned(),
            missed => format!("{} requests", grouped(missed)),
        },
    );
    format!("{}\n", styled(ODD, &format!("{count} came too fast to be shown")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::plain;

    fn line(flag: &str, variant: &str) -> TailLine {
        TailLine {
            at: "2026-11-28T21:34:05.123Z".into(),
            visitor: "visitor-1".into(),
            method: "GET".into(),
            path: "/a".into(),
            flag: flag.into(),
            variant: variant.into(),
            step: "percent".into(),
            reason: "SPLIT".into(),
            why: "drawn by percent".into(),
            revision: "0123456789abcdef".into(),
            not_counted: None,
        }
    }

    #[test]
    fn a_decision_is_a_line_and_columns_stay_where_they_are() {
        let mut shown = Shown::default();
        let first = plain(&shown.line(&line("new_form", "on")));
        assert_eq!(first, "21:34:05.123Z new_form on drawn by percent 0123456789ab visitor-1 GET /a\n");
        let second = plain(&shown.line(&line("a", "off")));
        assert_eq!(second, "21:34:05.123Z a        off drawn by percent 0123456789ab visitor-1 GET /a\n");
        let bot = TailLine { not_counted: Some("bot".into()), path: "/\u{1b}[2J".into(), ..line("a", "on") };
        let bot = shown.line(&bot);
        assert!(bot.contains("(not counted: bot)") && bot.contains("\\u{1b}[2J"), "{bot}");
        assert!(missed_text(Some(1234)).contains("1,234 requests came too fast"));
    }

    #[test]
    fn what_cannot_pass_is_not_tried_again() {
        let problem = |status| {
            Error::Elsewhere(Box::new(flagstaff_operations::api::Problem::new(
                flagstaff_operations::api::ProblemKind::Status,
                status,
                "",
                "no",
            )))
        };
        for (status, passes) in [(0, true), (502, true), (503, true), (429, true), (401, false), (404, false)] {
            assert_eq!(may_pass(&problem(status)), passes, "{status}");
        }
    }
}
