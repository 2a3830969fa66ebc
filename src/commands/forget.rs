//! `flagstaff forget`: what was recorded of visitors and other units is deleted.

use flagstaff_operations::api::ForgetRequest;
use flagstaff_operations::records;

use crate::cli::Forget;
use crate::commands::Outcome;
use crate::remote::Remote;
use crate::terminal::{grouped, json as print_json, out};
use crate::workspace::{Opened, block_on};

pub(crate) fn run(args: &Forget) -> anyhow::Result<Outcome> {
    let forgotten = match Remote::ledger(&args.ledger)? {
        Some(remote) => {
            let request = ForgetRequest { visitor: args.visitor.clone(), units: args.unit.clone() };
            remote.answer(remote.client.forget(&request))?
        }
        None => {
            let opened = Opened::ledger(&args.ledger)?;
            let forgotten = block_on(records::forget(&opened.workspace, args.visitor.as_deref(), &args.unit))?;
            opened.answer(forgotten)?
        }
    };
    let names = forgotten.units.join(", ");
    if args.json {
        print_json(&forgotten)?;
    } else if forgotten.rows == 0 {
        out(&format!("nothing was recorded of {names}\n"))?;
    } else {
        out(&format!("{names}: {} rows deleted\n", grouped(forgotten.rows)))?;
    }
    Ok(if forgotten.rows == 0 { Outcome::No } else { Outcome::Yes })
}
