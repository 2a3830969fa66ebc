#![doc = include_str!("../README.md")]
//!
//! - `layer.rs`: the layer around all others.
//! - `parent.rs`: the trace that a request belongs to.
//! - `span.rs`: what a span says of a request, its answer and its flags.
//! - `exporter.rs`: the queue, the batches, and the collector.
//! - `client.rs`: requests to the collector.

mod client;
mod exporter;
mod layer;
mod parent;
mod span;

pub use exporter::{SPAN_RESULTS, SPANS, StartError, Telemetry, TelemetrySettings};
pub use layer::{TraceFuture, TraceLayer, TraceService};
pub use parent::ParentPolicy;
