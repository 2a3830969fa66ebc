//! What a guard promises for a fleet, measured. `tests/long fleet_guard` runs it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::experiment_flow::done;
use crate::fleet_guard::Fleet;
use crate::guards::flags;
use crate::harness::checkout_app::Fate;
use crate::harness::eventually;

const SEEDS: u64 = 20;
const FLAGS: usize = 300;

/// Visitors of the treatment, of all programs together, until so many programs have rolled back; once for each seed.
fn met(programs: usize) -> Option<Vec<usize>> {
    let fleet = Fleet::start(programs, Fate::default(), &flags(20, "errors = \"5xx\""))?;
    let met = (0..SEEDS).map(|seed| {
        fleet.app.does(Fate { errors: [0.01, 0.05], ..Fate::default() }, seed);
        let seen = fleet.until_rolled_back(&format!("s{seed:02}"));
        done(&fleet.programs[0], "rollout checkout reset --by ada");
        eventually("all begin anew", || fleet.tripped() == 0);
        seen.iter().map(|(met, _)| met).sum()
    });
    let mut met: Vec<usize> = met.collect();
    met.sort_unstable();
    println!("{programs} programs: visitors of the treatment until it was rolled back: {met:?}");
    Some(met)
}

#[test]
#[ignore = "takes minutes"]
fn three_programs_need_as_many_visitors_together_as_one_alone() {
    let Some((one, three)) = met(1).zip(met(3)) else { return };
    let median = |met: &[usize]| (met[9] + met[10]) as f64 / 2.0;
    let ratio = median(&three) / median(&one);
    println!("median of one {}, of three {}, ratio {ratio:.2}", median(&one), median(&three));
    assert!((0.75..=1.25).contains(&ratio), "{ratio}");
}

#[test]
#[ignore = "takes minutes"]
fn healthy_rollouts_of_a_fleet_are_rolled_back_as_seldom_as_stated() {
    let mut text = String::new();
    for number in 0..FLAGS {
        let _ = writeln!(
            text,
            "[flags.f{number:03}]\nowner = \"team\"\nexpires = 2099-01-01\npercent = 50\nsticky = \"none\"\n\
             [flags.f{number:03}.guard]\nerrors = \"5xx\"\nfalse_alarm = 0.05\n"
        );
    }
    let healthy = Fate { errors: [0.08, 0.08], ..Fate::default() };
    let Some(fleet) = Fleet::start(3, healthy, &text) else { return };
    let mut queues = fleet.queues("fine");
    for visitor in 0..1_400 {
        queues.iter_mut().for_each(|queue| {
            queue.outcome(visitor);
        });
    }
    let each = || fleet.programs.iter().map(|one| one.metric("flagstaff_guard_tripped", "")).collect::<Vec<_>>();
    let agree = || each().windows(2).all(|pair| pair[0] == pair[1]);
    // what was seen last is still on its way
    std::thread::sleep(Duration::from_secs(10));
    eventually("all programs have the same", agree);
    let rolled_back = each()[0];
    println!("{rolled_back} of {FLAGS} healthy rollouts were rolled back");
    // three standard errors above the stated chance
    assert!(rolled_back <= 26.0, "{rolled_back}");
}
