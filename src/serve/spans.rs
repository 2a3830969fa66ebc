//! Spans of requests, where the program is built with them (`--features otel`) and the settings name a collector.

#[cfg(feature = "otel")]
pub(super) use self::built_in::Spans;
#[cfg(not(feature = "otel"))]
pub(super) use self::left_out::Spans;

#[cfg(feature = "otel")]
mod built_in {
    use anyhow::Context as _;
    use flagstaff_telemetry::{ParentPolicy, Telemetry, TelemetrySettings, TraceLayer};

    use crate::serve::health::VERSION;
    use crate::settings::telemetry::{ContinueTraces, TelemetryTable};

    /// Sends spans; none where no collector is named.
    pub(in crate::serve) struct Spans(Option<Telemetry>);

    impl Spans {
        /// Starts what sends them.
        ///
        /// # Errors
        /// When the collector's address makes no sense.
        pub(in crate::serve) fn start(typed: &TelemetryTable) -> anyhow::Result<Self> {
            let Some(endpoint) = typed.endpoint.clone() else {
                return Ok(Self(None));
            };
            let settings = TelemetrySettings {
                endpoint,
                service_name: typed.service_name.clone(),
                service_version: VERSION.into(),
                sample_ratio: typed.sample_ratio,
                parents: match typed.continue_traces {
                    ContinueTraces::Trusted => ParentPolicy::Trusted,
                    ContinueTraces::All => ParentPolicy::Everybody,
                    ContinueTraces::None => ParentPolicy::Nobody,
                },
                visitor_ids: typed.visitor_ids,
            };
            Ok(Self(Some(Telemetry::start(settings).context("telemetry cannot start")?)))
        }

        /// What makes them.
        pub(in crate::serve) fn layer(&self) -> TraceLayer {
            TraceLayer::new(self.0.clone())
        }

        /// Sends what waits.
        pub(in crate::serve) fn close(self) {
            self.0.iter().for_each(Telemetry::close);
        }
    }
}

#[cfg(not(feature = "otel"))]
mod left_out {
    use flagstaff_sidecar::SpanLayer;

    use crate::settings::telemetry::TelemetryTable;

    /// Nothing: a collector that the settings name is a mistake in them, which was told before.
    pub(in crate::serve) struct Spans;

    impl Spans {
        #[allow(clippy::unnecessary_wraps, reason = "the other one may fail")]
        pub(in crate::serve) fn start(_: &TelemetryTable) -> anyhow::Result<Self> {
            Ok(Self)
        }

        #[allow(clippy::unused_self, reason = "the other one needs it")]
        pub(in crate::serve) fn layer(&self) -> SpanLayer {
            flagstaff_sidecar::no_layer()
        }

        #[allow(clippy::unused_self, reason = "the other one needs it")]
        pub(in crate::serve) fn close(self) {}
    }
}
