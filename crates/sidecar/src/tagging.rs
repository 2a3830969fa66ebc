//! The proxy with flags. The program has all services of a request put together here, so that their code is made in this crate: `release`
//! optimises it, and not the program around it.

use flagstaff_layer::{ChangeLayer, EndpointLayer, FlagLayer, Stack};

use crate::{Backend, ProxySettings, Sidecar};

/// Makes spans of requests.
#[cfg(feature = "otel")]
pub type SpanLayer = flagstaff_telemetry::TraceLayer;
/// Makes nothing: spans are left out of this build.
#[cfg(not(feature = "otel"))]
pub type SpanLayer = tower::layer::util::Identity;

impl Sidecar {
    /// The layer that decides flags around the app or the demo shop, with spans around both.
    #[must_use]
    pub fn tagging(
        settings: ProxySettings,
        spans: SpanLayer,
        flags: Stack<EndpointLayer, Stack<ChangeLayer, FlagLayer>>,
        backend: Backend,
    ) -> Self {
        Self::new(settings, &(spans, flags), backend)
    }
}
