//! Programs with an older file than others, and files that are taken back to an older state.

use std::time::Duration;

use flagstaff_flags::{Definition, Fact, FactKind, Flag};
use jiff::{SignedDuration, Timestamp};

use super::{Desk, kinds};
use crate::fixtures::{fact, flag, is_tripped, name, snapshot};
use crate::messages::{LedgerEvent, Message};

/// What happened to the flag, each with the definition that it then had.
fn recorded(facts: &[(FactKind, u64)]) -> Vec<Fact> {
    let start = Timestamp::now() - SignedDuration::from_mins(5);
    let fact = |(number, (kind, definition)): (u64, &(FactKind, u64))| Fact {
        definition: Definition(*definition),
        ..fact(number, *kind, start)
    };
    (1..).zip(facts).map(fact).collect()
}

impl Desk {
    fn loads(&mut self, flag: Flag) {
        self.publisher.publish(&snapshot(flag));
        self.controller.handle(Message::Published(self.publisher.current()));
    }
}

/// A program with an older file starts, goes on after a panic, loses a number to another one, or follows late: nothing of this is an
/// edit, whatever the flag went through since. What rolled it back holds here too.
#[test]
fn an_older_file_clears_no_rollback() {
    use FactKind::{Changed, Defined, Disabled, Removed, Reset, Step, SwitchedOff, Tripped};
    let since: [&[(FactKind, u64)]; 6] = [
        &[(Changed, 2), (Tripped, 2)],
        &[(Changed, 2), (Reset, 2), (Tripped, 2)],
        &[(Changed, 2), (Changed, 3), (Step, 3), (Tripped, 3)],
        &[(Tripped, 1), (Removed, 1)],
        &[(SwitchedOff, 1), (Changed, 2), (Tripped, 2), (Removed, 2)],
        &[(Changed, 2), (Disabled, 2), (Tripped, 2)],
    ];
    for since in since {
        let facts = recorded(&[&[(Defined, 1)], since].concat());
        let mut desk = Desk::recorded(flag(1), facts.clone());
        assert_eq!(kinds(&desk.commands()), [], "a start: {since:?}");
        desk.controller.recover();
        desk.tell(LedgerEvent::Conflict(name(), facts.clone()));
        desk.tell(LedgerEvent::FactsLost(name(), 0));
        desk.commands();
        desk.loads(flag(1));
        assert_eq!(kinds(&desk.commands()), [], "{since:?}");
        assert!(is_tripped(&desk.publisher), "{since:?}");

        // one that ran already when all of this happened, and whose own fact came too late
        let mut desk = Desk::recorded(flag(1), facts[..1].to_vec());
        let added = facts[1..].to_vec();
        if added.iter().all(|fact| fact.kind != Removed) {
            desk.tell(LedgerEvent::FactsAdded(name(), added));
        } else {
            desk.tell(LedgerEvent::Conflict(name(), facts.clone()));
        }
        desk.loads(flag(1));
        assert_eq!(kinds(&desk.commands()), [], "{since:?}");
        assert!(is_tripped(&desk.publisher), "{since:?}");
    }
}

/// Somebody takes the file back to an older state: a program that had the newer one sees the edit, also where another fact takes its
/// number.
#[test]
fn an_edit_back_to_an_older_file_is_an_edit() {
    use FactKind::{Changed, Defined, Expired, Tripped};
    let facts = recorded(&[(Defined, 1), (Changed, 2), (Tripped, 2)]);
    let mut desk = Desk::recorded(flag(2), facts.clone());
    desk.loads(flag(1));
    assert_eq!(kinds(&desk.commands()), [Changed]);
    assert!(!is_tripped(&desk.publisher));
    let first = [facts, recorded(&[(Defined, 1), (Defined, 1), (Defined, 1), (Expired, 2)])[3..].to_vec()].concat();
    desk.tell(LedgerEvent::Conflict(name(), first.clone()));
    assert_eq!(kinds(&desk.commands()), [Changed], "once more, with the next number");
    assert!(!is_tripped(&desk.publisher));
    // it is on record: what others are first with from now on brings it back no more
    let next = Fact { number: 6, definition: Definition(2), ..fact(6, Changed, Timestamp::now()) };
    let all = [first, vec![desk.controller.facts()[0].clone(), next]].concat();
    desk.tell(LedgerEvent::Conflict(name(), all));
    assert_eq!(kinds(&desk.commands()), []);
}

/// Taken back while no program ran: nobody saw the edit. It is one as soon as no other program has other flags, unless a guard or a
/// person stopped the flag: then a person decides.
#[tokio::test(start_paused = true)]
async fn a_file_that_was_taken_back_while_nothing_ran_is_an_edit_when_no_other_program_is_there() {
    use FactKind::{Changed, Defined, Held, Paused, Removed, SwitchedOff, Tripped};
    let stops: [(&[FactKind], bool); 6] = [
        (&[], true),
        (&[Removed], true),
        (&[Tripped], false),
        (&[Held], false),
        (&[Paused], false),
        (&[SwitchedOff], false),
    ];
    for (then, is_taken) in stops {
        let then: Vec<_> = then.iter().map(|kind| (*kind, 2)).collect();
        let facts = recorded(&[vec![(Defined, 1), (Changed, 2)], then.clone()].concat());
        let mut desk = Desk::recorded(flag(1), facts);
        desk.controller.tell_lagging();
        desk.controller.handle(Message::Alone);
        assert_eq!(kinds(&desk.commands()), [], "others may start just now");
        tokio::time::advance(Duration::from_secs(6)).await;
        desk.controller.tell_lagging();
        let told = desk.controller.monitor.lagging();
        assert!(told.len() == 1 && told[0].contains("rollout FLAG reset"), "{told:?}");
        desk.controller.handle(Message::Alone);
        assert_eq!(kinds(&desk.commands()).contains(&Changed), is_taken, "{then:?}");
        desk.controller.tell_lagging();
        assert_eq!(desk.controller.monitor.lagging().is_empty(), is_taken, "{then:?}");
    }
}

/// Two programs whose flags differ for good, as those of two environments: each edit is the other's, and none is answered with one.
#[tokio::test(start_paused = true)]
async fn what_others_edit_while_a_program_runs_is_not_taken_back() {
    use FactKind::{Changed, Defined};
    let facts = recorded(&[(Defined, 1), (Changed, 2)]);
    let mut desk = Desk::recorded(flag(1), facts[..1].to_vec());
    desk.commands();
    desk.tell(LedgerEvent::FactsAdded(name(), facts[1..].to_vec()));
    for _ in 0..3 {
        desk.controller.tell_lagging();
        desk.controller.handle(Message::Alone);
        desk.controller.recover();
        desk.tell(LedgerEvent::Conflict(name(), facts.clone()));
        tokio::time::advance(Duration::from_secs(10)).await;
    }
    assert_eq!(kinds(&desk.commands()), []);
    assert_eq!(desk.controller.monitor.lagging().len(), 1, "it is told");
}
