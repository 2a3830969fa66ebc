//! The queue of ended spans, and the batches in which they go to the collector.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use flagstaff_flags::without_userinfo;
use metrics::counter;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, Span, SpanData, SpanExporter,
    SpanProcessor,
};

use crate::client::{Client, TOTAL_TIMEOUT};
use crate::parent::ParentPolicy;

/// Spans, counted by what became of them.
pub const SPANS: &str = "flagstaff_spans_total";
/// What may become of a span: it was sent, the collector did not take it, the queue was full.
pub const SPAN_RESULTS: [&str; 3] = [EXPORTED, FAILED, DROPPED];
const EXPORTED: &str = "exported";
const FAILED: &str = "failed";
const DROPPED: &str = "dropped";

/// Ended spans that wait.
const QUEUE: usize = 4096;
/// Spans that are sent at once.
const BATCH: usize = 512;
/// How long a span waits for others.
const DELAY: Duration = Duration::from_secs(1);
/// How long the end of the program waits for the last batch.
const LAST: Duration = Duration::from_secs(3);

/// Where spans go, and which there are.
#[derive(Clone, Debug, PartialEq)]
pub struct TelemetrySettings {
    /// The collector, such as `http://127.0.0.1:4318`: `/v1/traces` is added to an address without a path.
    pub endpoint: String,
    /// The name of this program among others.
    pub service_name: String,
    /// Its version.
    pub service_version: String,
    /// The share of new traces that are sampled, from 0 to 1.
    pub sample_ratio: f64,
    /// Whose traces go on.
    pub parents: ParentPolicy,
    /// Whether the ids of visitors are told, as far as they may be kept.
    pub visitor_ids: bool,
}

/// Why spans cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("spans cannot be sent: {0}")]
pub struct StartError(#[from] opentelemetry_otlp::ExporterBuildError);

/// Sends spans. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Telemetry {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    settings: Arc<TelemetrySettings>,
}

impl Telemetry {
    /// Starts the thread that sends batches. The collector need not be there yet.
    ///
    /// # Errors
    /// When the address makes no sense.
    pub fn start(settings: TelemetrySettings) -> Result<Self, StartError> {
        let address = traces(&settings.endpoint);
        let is_encrypted = address.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new(is_encrypted))
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(TOTAL_TIMEOUT)
            .with_endpoint(&address)
            .build()?;
        let waiting = Arc::new(AtomicUsize::new(0));
        let exporter = CountedExporter {
            inner: exporter,
            waiting: Arc::clone(&waiting),
            is_away: AtomicBool::new(false),
            address: without_userinfo(&address).into_owned(),
        };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(DELAY)
            .build();
        let batches = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource(&settings))
            .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample_ratio))))
            .with_span_processor(BoundedQueue { inner: batches, waiting })
            .build();
        let tracer = provider.tracer("flagstaff");
        Ok(Self { provider, tracer, settings: Arc::new(settings) })
    }

    pub(crate) const fn tracer(&self) -> &SdkTracer {
        &self.tracer
    }

    pub(crate) fn settings(&self) -> &TelemetrySettings {
        &self.settings
    }

    /// Sends what waits, and no more. Waits a few seconds at most.
    pub fn close(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST) {
            tracing::warn!("the last spans were not sent: {error}");
        }
    }
}

/// The address for spans, of the collector's address. One with a path is taken as it is.
fn traces(endpoint: &str) -> String {
    let (start, rest) = endpoint.split_once("://").unwrap_or(("http", endpoint));
    match rest.split_once('/') {
        None | Some((_, "")) => format!("{start}://{}/v1/traces", rest.trim_end_matches('/')),
        Some(_) => endpoint.into(),
    }
}

/// Beside what `OTEL_RESOURCE_ATTRIBUTES` says.
fn resource(settings: &TelemetrySettings) -> Resource {
    Resource::builder()
        .with_service_name(settings.service_name.clone())
        .with_attribute(KeyValue::new("service.version", settings.service_version.clone()))
        .build()
}

/// Counts what the queue does not hold.
#[derive(Debug)]
struct BoundedQueue {
    inner: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
}

impl SpanProcessor for BoundedQueue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.waiting.fetch_add(1, Relaxed) < QUEUE {
            self.inner.on_end(span);
        } else {
            self.waiting.fetch_sub(1, Relaxed);
            counter!(SPANS, "result" => DROPPED).increment(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// Counts what was sent, and says when the collector is away and when it is back.
#[derive(Debug)]
struct CountedExporter<E> {
    inner: E,
    waiting: Arc<AtomicUsize>,
    is_away: AtomicBool,
    address: String,
}

impl<E: SpanExporter> SpanExporter for CountedExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        self.waiting.fetch_sub(count, Relaxed);
        let result = self.inner.export(batch).await;
        let became = if result.is_ok() { EXPORTED } else { FAILED };
        counter!(SPANS, "result" => became).increment(count.try_into().unwrap_or(u64::MAX));
        match (&result, self.is_away.swap(result.is_err(), Relaxed)) {
            (Err(error), false) => {
                tracing::warn!(
                    "{} takes no spans: {}; they are lost until it does",
                    self.address,
                    without_userinfo(&error.to_string())
                );
            }
            (Ok(()), true) => tracing::info!("{} takes spans again", self.address),
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_their_path_unless_one_is_said() {
        for (endpoint, wanted) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://collector.example/", "https://collector.example/v1/traces"),
            ("https://collector.example/otlp/v1/traces", "https://collector.example/otlp/v1/traces"),
        ] {
            assert_eq!(traces(endpoint), wanted);
        }
    }
}
