//! `flagstaff rollout`: where a rollout stands, and what people have it do.

mod show;
mod status;

use flagstaff_experiment::rollout::{Order, obey};
use jiff::Timestamp;

use crate::cli::{Action, Rollout};
use crate::commands::Answer;
use crate::print::{BAD, err, json as print_json, out, styled};
use crate::who;

use self::status::{Desk, Status};

pub(crate) fn run(args: &Rollout) -> anyhow::Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let order = order(args.action);
        let mut desk = Desk::open(&args.facts, &args.flag, order.is_some()).await?;
        let refused = match order {
            Some(order) => ask(&mut desk, order, &who::by(args.by.as_deref())).await?,
            None => None,
        };
        let status = desk.status().await?;
        desk.close().await;
        tell(args, &status, refused.as_deref())
    })
}

const fn order(action: Action) -> Option<Order> {
    match action {
        Action::Status => None,
        Action::Advance => Some(Order::Advance),
        Action::Approve => Some(Order::Approve),
        Action::Pause => Some(Order::Pause),
        Action::Resume => Some(Order::Resume),
        Action::Reset => Some(Order::Reset),
    }
}

/// Has an order carried out; or says why not.
async fn ask(desk: &mut Desk, order: Order, by: &str) -> anyhow::Result<Option<String>> {
    let standing = match desk.standing().await? {
        Ok(standing) => standing,
        Err(why) => return Ok(Some(why)),
    };
    // it would climb where nobody sees it, and be there at once when it is on again
    let off = desk.history().await.map(|history| desk.off(&history))?;
    if let Some(why) = off.filter(|_| matches!(order, Order::Advance | Order::Approve)) {
        return Ok(Some(format!("{why}; switch it on first: flagstaff on {}", desk.flag().name)));
    }
    let fact = match obey(order, desk.flag(), &standing, by, Timestamp::now()) {
        Ok(fact) => fact,
        Err(refusal) => return Ok(Some(refusal.to_string())),
    };
    let was_first = desk.add(fact).await?;
    Ok((!was_first).then(|| "something else happened to it just now; look again".into()))
}

fn tell(args: &Rollout, status: &Status, refused: Option<&str>) -> anyhow::Result<Answer> {
    if let Some(why) = refused {
        err(&format!("{}: {why}\n", styled(BAD, "not done")));
    }
    if args.json {
        print_json(&show::json(status))?;
    } else {
        out(&show::text(status))?;
    }
    Ok(if refused.is_some() { Answer::No } else { Answer::Yes })
}
