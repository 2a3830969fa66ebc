//! A guard that several programs share: one test sees the visitors of all, and what one decides is in force everywhere.

use serde_json::Value;

use crate::experiment_flow::done;
use crate::guards::{flags, kinds, status};
use crate::harness::checkout_app::{Fate, Patient, Queue};
use crate::harness::eventually;
use crate::harness::postgres::Server;
use crate::harness::program::{Program, Setup};

/// Three programs, their app, and the ledger that they share.
pub(crate) struct Fleet {
    pub(crate) programs: Vec<Program>,
    pub(crate) app: Patient,
    /// The last to go: programs that end write down what they know.
    pub(crate) server: Server,
}

impl Fleet {
    /// So many programs; none where PostgreSQL is not installed, which is said.
    pub(crate) fn start(programs: usize, fate: Fate, flags: &str) -> Option<Self> {
        let Some(server) = Server::start() else {
            eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
            return None;
        };
        let app = Patient::start(fate);
        let ledger = format!("ledger = \"{}\"", server.database());
        let start = || Setup::to(&[app.app.address]).flags(flags).top(&ledger).start();
        let programs = (0..programs).map(|_| start()).collect();
        Some(Self { programs, app, server })
    }

    pub(crate) fn queues(&self, name: &str) -> Vec<Queue> {
        (0..).zip(&self.programs).map(|(number, program)| Queue::to(program, &format!("{name}-{number}"))).collect()
    }

    /// How many of the programs have the flag rolled back.
    pub(crate) fn tripped(&self) -> usize {
        self.programs.iter().filter(|program| is_tripped(program)).count()
    }

    /// Visitors come in turn to each program until all of them have rolled back: the same ones, however many programs there are. Returns,
    /// for each, visitors who met the flag and those who got an error.
    pub(crate) fn until_rolled_back(&self, name: &str) -> Vec<(usize, usize)> {
        let mut queues: Vec<_> = self.programs.iter().map(|program| Queue::to(program, name)).collect();
        let mut seen = vec![(0, 0); queues.len()];
        for round in 0..2_000 {
            for visitor in 0..30 {
                let turn = visitor / 10 % queues.len();
                let (has_flag, fails) = queues[turn].outcome(round * 30 + visitor);
                seen[turn].0 += usize::from(has_flag);
                seen[turn].1 += usize::from(fails);
            }
            if self.tripped() > 0 {
                eventually("all roll it back", || self.tripped() == self.programs.len());
                return seen;
            }
        }
        panic!("not rolled back: {seen:?}");
    }
}

pub(crate) fn is_tripped(program: &Program) -> bool {
    program.metric("flagstaff_guard_tripped", "flag=\"checkout\"") == 1.0
}

fn count(evidence: &Value, key: &str) -> u64 {
    evidence[key].as_u64().unwrap()
}

#[test]
fn one_test_sees_the_visitors_of_all_programs() {
    let bad = Fate { errors: [0.002, 0.05], ..Fate::default() };
    let Some(fleet) = Fleet::start(3, bad, &flags(50, "errors = \"5xx\"")) else { return };
    let seen = fleet.until_rolled_back("seen");
    for queue in &mut fleet.queues("after") {
        assert_eq!(queue.come(50), 0, "it is served after it was rolled back");
    }
    eventually("the trip is on record", || status(&fleet.programs[0])["state"] == "tripped");
    let evidence = &status(&fleet.programs[0])["evidence"];
    let counted = count(evidence, "treatment_visitors") + count(evidence, "control_visitors");
    let failed: Vec<_> = seen.iter().map(|(_, failed)| *failed as u64).collect();
    assert!(
        failed.iter().all(|failed| *failed < counted),
        "those of one program would not do: {failed:?} {evidence}"
    );
    assert!(counted <= failed.iter().sum(), "each counts once: {failed:?} {evidence}");
    for program in &fleet.programs {
        let now = status(program);
        assert_eq!(kinds(&now), ["defined", "tripped"], "one of them wrote it down");
        assert_eq!(&now["evidence"], evidence);
    }
}

#[test]
fn what_is_ordered_at_one_program_is_in_force_at_all() {
    let rollout = "[flags.checkout.rollout]\nsteps = [{ percent = 1, hold = \"approval\" }, { percent = 100 }]\n";
    let text = flags(50, "errors = \"5xx\"").replace("percent = 50\n", "") + rollout;
    let Some(fleet) = Fleet::start(3, Fate::default(), &text) else { return };
    let served = |name: &str| -> Vec<usize> { fleet.queues(name).iter_mut().map(|queue| queue.come(30)).collect() };
    assert!(served("before").iter().all(|served| *served < 30));
    done(&fleet.programs[1], "rollout checkout advance --by ada");
    eventually("all are at the next step", || served("after") == [30, 30, 30]);
}

/// While nobody reaches the ledger each program has its own fuse, and nobody goes to the next step; what was decided is written down
/// when the ledger is back, and then holds everywhere.
#[test]
fn fuses_work_while_the_ledger_is_away() {
    let rollout =
        "[flags.checkout.rollout]\nsteps = [{ percent = 50, hold = \"2s\", min_visitors = 1 }, { percent = 100 }]\n";
    let text = flags(50, "errors = \"5xx\"\nfuse = 5").replace("percent = 50\n", "") + rollout;
    let Some(fleet) = Fleet::start(2, Fate::default(), &text) else { return };
    let mut queues = fleet.queues("before");
    fleet.server.down();
    eventually("they know that it is away", || {
        fleet.programs.iter().all(|program| program.process.log().contains("cannot reach the ledger"))
    });
    queues.iter_mut().for_each(|queue| assert!(queue.come(50) < 50, "none is at its next step"));
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    queues.iter_mut().for_each(|queue| assert!(queue.come(50) < 50, "none went on"));
    fleet.app.does(Fate { errors: [0.0, 1.0], ..Fate::default() }, 1);
    queues[0].come(100);
    eventually("it is rolled back here", || is_tripped(&fleet.programs[0]));
    assert_eq!(queues[0].come(50), 0);
    assert!(!is_tripped(&fleet.programs[1]), "the other saw nothing, and was told nothing");
    fleet.server.up();
    eventually("it is rolled back everywhere", || is_tripped(&fleet.programs[1]));
    assert_eq!(queues[1].come(50), 0);
    assert_eq!(status(&fleet.programs[1])["evidence"]["fuse"]["visitors"], 5);
}
