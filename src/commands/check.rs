//! `flagstaff check`: every mistake in the flag file.

use crate::cli::Check;
use crate::commands::Answer;
use crate::flags;
use crate::print::{GOOD, json as print_json, out, styled};
use crate::settings::shown;

pub(crate) fn run(args: &Check) -> anyhow::Result<Answer> {
    let mut of = args.flags.clone();
    of.flags = args.file.clone().or(of.flags);
    let settings = flags::settings(&of)?;
    let path = flags::existing(&settings)?;
    let (report, count) = match flags::load(&path, &settings.typed) {
        Ok(loaded) => (loaded.report, loaded.snapshot.flags().len()),
        // What is not there, is no file or may not be read was not judged.
        Err(report) if !path.is_file() || std::fs::File::open(&path).is_err() => return Err(shown(&report)),
        Err(report) => (report, 0),
    };
    if args.json {
        print_json(&report.to_json())?;
    } else if report.problems().is_empty() {
        let flags = if count == 1 { "1 flag".into() } else { format!("{count} flags") };
        out(&format!("{}: {flags} in {}\n", styled(GOOD, "fine"), path.display()))?;
    } else {
        out(&format!("{}\n\n{}\n", report.render(true).trim_end(), report.summary()))?;
    }
    let fine = if args.strict { report.problems().is_empty() } else { report.is_usable() };
    Ok(if fine { Answer::Yes } else { Answer::No })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_was_not_judged() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("none.toml")] {
            let args = Check {
                file: Some(path.display().to_string()),
                flags: crate::cli::Flags::default(),
                strict: false,
                json: true,
            };
            assert!(run(&args).is_err(), "{}", path.display());
        }
    }
}
