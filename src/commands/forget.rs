//! `flagstaff forget`: what was recorded of visitors and other units is deleted.

use serde_json::json;

use crate::cli::Forget;
use crate::commands::Answer;
use crate::facts;
use crate::print::{grouped, json as print_json, out};

pub(crate) fn run(args: &Forget) -> anyhow::Result<Answer> {
    let settings = facts::settings(&args.facts)?;
    let units: Vec<&String> = args.visitor.iter().chain(&args.unit).collect();
    let rows = facts::change(&settings, async |ledger| Ok(ledger.forget(&units).await?))?;
    let names = units.iter().map(|unit| unit.as_str()).collect::<Vec<_>>().join(", ");
    if args.json {
        print_json(&json!({ "visitor": args.visitor, "units": units, "rows": rows }))?;
    } else if rows == 0 {
        out(&format!("nothing was recorded of {names}\n"))?;
    } else {
        out(&format!("{names}: {} rows deleted\n", grouped(rows)))?;
    }
    Ok(if rows == 0 { Answer::No } else { Answer::Yes })
}
