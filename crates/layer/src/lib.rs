#![doc = include_str!("../README.md")]
//!
//! ```text
//! FlagLayer::new(reader, tagger) → FlagService { your service }
//! request → Flags in its extensions and headers → your service → answer without our directives, with our cookies
//! ```
//!
//! It loads the snapshot once per request and carries it to the end, however often it is replaced meanwhile. Readiness and
//! errors of the service inside are passed on as they are.
//!
//! Put the [`Peer`] of the connection into the request's extensions before; without it nobody is trusted,
//! cookies are not marked `Secure`, and conditions on addresses fit nobody.
//!
//! [`EndpointLayer`], inside [`FlagLayer`], answers the visitor's own addresses under `/.flagstaff/`.
//!
//! [`FlagLayer::measuring`] counts answers and how long they took by variant, for `/metrics`. [`FlagLayer::watched_by`] tells an observer of your own. [`FlagLayer::followed_by`] lets people see the traffic. With the feature `ledger`, `FlagLayer::recording` keeps what happens, for experiments.

mod changes;
mod endpoints;
#[cfg(feature = "axum")]
mod extract;
mod future;
mod layer;
mod observe;
mod service;

pub use changes::{ChangeFuture, ChangeLayer, ChangeService, ChangeStream, ChangeStreams, EndpointBody};
pub use endpoints::{EndpointFuture, EndpointLayer, EndpointService};
#[cfg(feature = "axum")]
pub use extract::{NotTagged, VisitorFlags};
pub use flagstaff_tag::{Flags, LeftOut, Peer, Tagger, TaggerSettings};
pub use future::FlagFuture;
pub use layer::FlagLayer;
pub use observe::{
    Answer, AnswerResult, Answers, AskedFlag, AskedVariant, Observe, ReachedGoal, RequestContext, TailDecision,
    TailRead, TailReader, Traffic, TrafficSettings, is_page,
};
pub use service::FlagService;
pub use tower::layer::util::Stack;
