//! `flagstaff forget`: a visitor's rows are deleted.

use serde_json::json;

use crate::cli::Forget;
use crate::commands::Answer;
use crate::facts;
use crate::print::{grouped, json as print_json, out};

pub(crate) fn run(args: &Forget) -> anyhow::Result<Answer> {
    let settings = facts::settings(&args.facts)?;
    let rows = facts::ask(&settings, async |ledger| Ok(ledger.forget(&args.visitor).await?))?;
    if args.json {
        print_json(&json!({ "visitor": args.visitor, "rows": rows }))?;
    } else if rows == 0 {
        out(&format!("nothing was recorded of {}\n", args.visitor))?;
    } else {
        out(&format!("{}: {} rows deleted\n", args.visitor, grouped(rows)))?;
    }
    Ok(if rows == 0 { Answer::No } else { Answer::Yes })
}
