//! Counters, registered once and kept as handles.

use std::sync::LazyLock;

use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::refusal::Refusal;

/// Why the upstream did not answer, or not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection.
    Connect,
    /// No connection in time.
    ConnectTimeout,
    /// No descriptor left to connect with.
    Descriptors,
    /// No answer in time.
    AnswerTimeout,
    /// The connection ended before the answer began.
    Died,
    /// The answer is not HTTP.
    Malformed,
    /// The answer ended in the middle.
    Cut,
    /// The answer's head is larger than allowed.
    AnswerHead,
    /// The upstream of a variant is at an address that none may have.
    Forbidden,
    /// This machine has no port or no memory left to connect with.
    Local,
}

impl Failure {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Connect, "connect"),
        (Self::ConnectTimeout, "connect_timeout"),
        (Self::Descriptors, "descriptors"),
        (Self::AnswerTimeout, "answer_timeout"),
        (Self::Died, "died"),
        (Self::Malformed, "malformed"),
        (Self::Cut, "cut"),
        (Self::AnswerHead, "answer_head"),
        (Self::Forbidden, "forbidden"),
        (Self::Local, "local"),
    ];

    /// Whether this machine lacks something: neither the upstream nor the client is at fault.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Descriptors | Self::Local)
    }

    pub(crate) fn label(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

pub(crate) struct Meters {
    refused: Vec<Counter>,
    failed: Vec<Counter>,
    answers: [Counter; 6],
    pub(crate) seconds: Histogram,
    pub(crate) connections: Gauge,
    pub(crate) accepted: Counter,
    pub(crate) accept_failures: Counter,
    pub(crate) retries: Counter,
    pub(crate) tunnels: Gauge,
    pub(crate) access_dropped: Counter,
    pub(crate) certificate_loads: Counter,
    pub(crate) certificate_failures: Counter,
}

/// Handles of the recorder that is installed when they are first used: the program installs it before it starts.
pub(crate) static METERS: LazyLock<Meters> = LazyLock::new(Meters::new);

impl Meters {
    fn new() -> Self {
        describe();
        Self {
            refused: Refusal::ALL
                .iter()
                .map(|refusal| counter!("flagstaff_refused_total", "reason" => refusal.label()))
                .collect(),
            failed: Failure::ALL
                .iter()
                .map(|(_, label)| counter!("flagstaff_upstream_failures_total", "reason" => *label))
                .collect(),
            answers: ["other", "1xx", "2xx", "3xx", "4xx", "5xx"]
                .map(|class| counter!("flagstaff_requests_total", "status" => class)),
            seconds: histogram!("flagstaff_request_seconds"),
            connections: gauge!("flagstaff_connections"),
            accepted: counter!("flagstaff_connections_total"),
            accept_failures: counter!("flagstaff_accept_failures_total"),
            retries: counter!("flagstaff_upstream_retries_total"),
            tunnels: gauge!("flagstaff_tunnels"),
            access_dropped: counter!("flagstaff_access_log_dropped_total"),
            certificate_loads: counter!("flagstaff_certificate_loads_total"),
            certificate_failures: counter!("flagstaff_certificate_failures_total"),
        }
    }

    pub(crate) fn refuse(&self, refusal: Refusal) {
        if let Some(counter) = self.refused.get(refusal as usize) {
            counter.increment(1);
        }
    }

    pub(crate) fn fail(&self, failure: Failure) {
        if let Some(counter) = self.failed.get(failure as usize) {
            counter.increment(1);
        }
    }

    pub(crate) fn answer(&self, status: http::StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        self.answers[if class < self.answers.len() { class } else { 0 }].increment(1);
    }
}

fn describe() {
    describe_counter!("flagstaff_refused_total", "Requests refused before they reached the app, by reason");
    describe_counter!("flagstaff_upstream_failures_total", "Requests the upstream did not answer whole, by reason");
    describe_counter!("flagstaff_requests_total", "Answers, by class of status");
    describe_histogram!("flagstaff_request_seconds", "Time from a request's head to the head of its answer");
    describe_gauge!("flagstaff_connections", "Clients' connections open now");
    describe_counter!("flagstaff_connections_total", "Clients' connections accepted");
    describe_counter!("flagstaff_accept_failures_total", "Times no connection could be accepted");
    describe_counter!("flagstaff_upstream_retries_total", "Requests sent again because a kept connection was dead");
    describe_counter!(
        "flagstaff_canary_fallbacks_total",
        "Requests the app answered because the upstream of a variant did not, by flag"
    );
    describe_gauge!("flagstaff_upstream_up", "1 while an upstream takes connections");
    describe_gauge!("flagstaff_tunnels", "Upgraded connections open now");
    describe_counter!("flagstaff_access_log_dropped_total", "Lines of the access log that did not fit the queue");
    describe_counter!("flagstaff_certificate_loads_total", "Times certificates were loaded");
    describe_counter!("flagstaff_certificate_failures_total", "Times changed certificates could not be used");
}
