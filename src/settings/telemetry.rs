//! `[telemetry]`: spans of requests, for a collector of OpenTelemetry.

use flagstaff_flags::Problem;
use serde::{Deserialize, Serialize};

/// `[telemetry]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TelemetryTable {
    /// The collector; none: no spans are made.
    pub(crate) endpoint: Option<String>,
    /// The name of this program among others.
    pub(crate) service_name: String,
    /// The share of new traces that are sampled.
    pub(crate) sample_ratio: f64,
    /// Whose traces go on.
    pub(crate) continue_traces: ContinueTraces,
    /// Whether the ids of visitors are told.
    pub(crate) visitor_ids: bool,
}

/// Whose traces go on. A client whose trace goes on decides whether it is sampled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ContinueTraces {
    /// Those of trusted addresses, such as a load balancer.
    #[default]
    Trusted,
    /// Everybody's.
    All,
    /// Nobody's.
    None,
}

impl Default for TelemetryTable {
    fn default() -> Self {
        Self {
            endpoint: None,
            service_name: "flagstaff".into(),
            sample_ratio: 1.0,
            continue_traces: ContinueTraces::default(),
            visitor_ids: false,
        }
    }
}

/// Every mistake, also that this program cannot do it.
///
/// # Errors
/// With every problem.
pub(crate) fn check(typed: &TelemetryTable) -> Result<(), Vec<Problem>> {
    let problems = problems(typed, cfg!(feature = "otel"));
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn problems(typed: &TelemetryTable, is_built_in: bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !(0.0..=1.0).contains(&typed.sample_ratio) {
        let problem = Problem::new(["telemetry", "sample_ratio"], "a share lies between 0 and 1");
        problems.push(problem.help("0.1 samples one trace in ten"));
    }
    let Some(endpoint) = &typed.endpoint else {
        return problems;
    };
    let mut wrong = |why: String, help: &str| {
        problems.push(Problem::new(["telemetry", "endpoint"], why).help(help));
    };
    let is_address = endpoint.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|a| !a.as_str().contains('@'))
    });
    if !is_address {
        let help = "write one such as \"http://127.0.0.1:4318\"; a key of the collector belongs in OTEL_EXPORTER_OTLP_HEADERS";
        wrong("this is not the address of a collector".into(), help);
    }
    if !is_built_in {
        let help = "build it with `cargo build --profile dist --features otel`, or take the key out";
        wrong("this program was built without OpenTelemetry, so it can send no spans".into(), help);
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(typed: &TelemetryTable, is_built_in: bool) -> Vec<String> {
        problems(typed, is_built_in).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn mistakes_and_a_program_that_cannot_are_told() {
        let set = |endpoint: &str| TelemetryTable { endpoint: Some(endpoint.into()), ..TelemetryTable::default() };
        assert_eq!(wrong(&TelemetryTable::default(), false), Vec::<String>::new(), "nothing is asked of it");
        assert_eq!(wrong(&set("https://collector.example/v1/traces"), true), Vec::<String>::new());
        let without = wrong(&set("http://127.0.0.1:4318"), false);
        assert!(without.len() == 1 && without[0].contains("built without OpenTelemetry"), "{without:?}");
        for endpoint in ["127.0.0.1:4318", "grpc://collector", "http://me:secret@collector", ""] {
            let told = wrong(&set(endpoint), true);
            assert!(told.len() == 1 && told[0].contains("address of a collector"), "{endpoint}: {told:?}");
            assert!(!told[0].contains("secret"), "{told:?}");
        }
        for sample_ratio in [-0.1, 1.1, f64::NAN] {
            assert_eq!(wrong(&TelemetryTable { sample_ratio, ..TelemetryTable::default() }, true).len(), 1);
        }
    }
}
