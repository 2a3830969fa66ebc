//! Metrics about the program itself, and counters that are there with 0 before anything is counted.
//!
//! A rule on the increase of a counter sees the first time only where the counter was there before it. So every counter begins here, or
//! where its labels become known: the proxy's with the proxy, those of threads and of the ledger with them.

use flagstaff_flags::{FactKind, Snapshot};
use flagstaff_tag::{NotReached, Tagger};
use flagstaff_webhook::WebhookEvent;
use metrics::{Counter, counter, describe_counter, describe_gauge, gauge};

use super::health::{REVISION, VERSION};
use crate::logging;

/// Flags and goals whose counters begin at most; those of further ones begin when something is counted.
const MAX_BEGUN: usize = 500;

/// What is counted elsewhere too, in words.
const COUNTERS: [(&str, &str); 17] = [
    ("flagstaff_ledger_written_total", "Events written to the ledger"),
    ("flagstaff_ledger_dropped_total", "Events that did not get into the ledger, by reason"),
    ("flagstaff_guard_dropped_total", "Signs that guards did not count, because too many waited"),
    ("flagstaff_guard_limited_total", "Signs that guards did not count, because one network sends more than counts"),
    ("flagstaff_guard_forgotten_total", "Visitors whom guards can no longer remember"),
    ("flagstaff_facts_total", "What happened to flags, by kind"),
    ("flagstaff_webhooks_total", "Messages to receivers of webhooks, by event and result"),
    ("flagstaff_reloads_total", "Changed flag files, by whether they could be used"),
    ("flagstaff_not_counted_total", "Requests that got their flags and were not counted, by reason"),
    ("flagstaff_events_refused_total", "Events that do not reach a goal, by goal and reason"),
    ("flagstaff_directives_refused_total", "Headers of the app's answers that are not understood"),
    ("flagstaff_unknown_flags_total", "Questions about flags that are not defined"),
    ("flagstaff_gate_closed_total", "Requests answered by a closed gate"),
    ("flagstaff_canary_fallbacks_total", "Requests that the app answered because the upstream of a variant did not"),
    ("flagstaff_spans_total", "Spans for OpenTelemetry, by what became of them"),
    (flagstaff_supervise::RESTARTS, "Times a thread was started again after a panic"),
    (flagstaff_admin::REFUSED, "Requests refused on the operators' address, by reason"),
];

/// What is measured elsewhere, in words.
const GAUGES: [(&str, &str); 6] = [
    ("flagstaff_build_info", "1, with the version of the program"),
    ("flagstaff_start_time_seconds", "When the program started, in seconds since 1970"),
    ("flagstaff_ledger_up", "1 while the ledger takes what is written"),
    ("flagstaff_rollout_step", "The step at which a rollout is, from 1 on"),
    ("flagstaff_guard_tripped", "1 while a guard has rolled its flag back"),
    ("flagstaff_guard_log_evidence", "The evidence against a variant, as a logarithm"),
];

/// Begins them. The recorder must be there.
pub(crate) fn begin(tagger: &Tagger) {
    let revision = REVISION.map(|revision| ("revision", revision));
    let labels: Vec<_> = [("version", VERSION)].into_iter().chain(revision).collect();
    gauge!("flagstaff_build_info", &labels).set(1.0);
    #[allow(clippy::cast_precision_loss, reason = "seconds since 1970 are few enough")]
    gauge!("flagstaff_start_time_seconds").set(jiff::Timestamp::now().as_second() as f64);
    for (name, what) in GAUGES {
        describe_gauge!(name, what);
    }
    for (name, what) in COUNTERS {
        describe_counter!(name, what);
    }
    zero(&counter!("flagstaff_ledger_written_total"));
    zero(&counter!("flagstaff_guard_dropped_total"));
    for kind in FactKind::ALL {
        zero(&counter!("flagstaff_facts_total", "kind" => kind.as_str()));
    }
    for event in WebhookEvent::ALL {
        for result in ["delivered", "failed", "given_up"] {
            zero(&counter!("flagstaff_webhooks_total", "event" => event.as_str(), "result" => result));
        }
    }
    for header in ["x-flag-event", "x-flag-exposed", "x-flag-identify"] {
        zero(&counter!("flagstaff_directives_refused_total", "header" => header));
    }
    for result in ["exported", "failed", "dropped"] {
        zero(&counter!("flagstaff_spans_total", "result" => result));
    }
    for reason in flagstaff_admin::REFUSAL_REASONS {
        zero(&counter!(flagstaff_admin::REFUSED, "reason" => reason));
    }
    zero(&counter!("flagstaff_unknown_flags_total", "flag" => "(more)"));
    tagger.begin_counters();
    logging::count_losses();
}

/// Begins the counters of flags and goals that have none yet. It is called before each answer of `/metrics`, so none is missing in the
/// first one that could have it.
pub(crate) fn begin_flags(snapshot: &Snapshot) {
    for flag in snapshot.flags().iter().take(MAX_BEGUN) {
        let begun = [
            ("flagstaff_gate_closed_total", flag.gate.is_some()),
            ("flagstaff_canary_fallbacks_total", !flag.upstream.is_empty()),
            ("flagstaff_guard_limited_total", flag.guard.is_some()),
            ("flagstaff_guard_forgotten_total", flag.guard.is_some()),
        ];
        for (name, _) in begun.into_iter().filter(|(_, has)| *has) {
            zero(&counter!(name, "flag" => flag.name.to_string()));
        }
    }
    for goal in snapshot.goals().iter().take(MAX_BEGUN) {
        for reason in NotReached::ALL {
            let (goal, reason) = (goal.name.to_string(), reason.as_str());
            zero(&counter!("flagstaff_events_refused_total", "goal" => goal, "reason" => reason));
        }
    }
}

fn zero(counter: &Counter) {
    counter.increment(0);
}
