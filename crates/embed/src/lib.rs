#![doc = include_str!("../README.md")]
//!
//! # Who is on the other end?
//!
//! Conditions on addresses, the `Secure` of cookies and guards that limit what one network may bring need the [`Peer`] of a request.
//! Put it into the request's extensions before the layer sees it. In axum:
//!
//! ```
//! use std::net::SocketAddr;
//!
//! use axum::extract::{ConnectInfo, Request};
//! use axum::middleware::Next;
//! use axum::response::Response;
//! use flagstaff_embed::Peer;
//!
//! /// `.layer(from_fn(tell_peer))` after `.layer(flagstaff.layer())`: the last layer sees a request first. Serve the app with
//! /// `app.into_make_service_with_connect_info::<SocketAddr>()`, or axum knows no address.
//! async fn tell_peer(ConnectInfo(address): ConnectInfo<SocketAddr>, mut request: Request, next: Next) -> Response {
//!     // behind a proxy of your own: `trusted` for its addresses, `client` and `tls` as it forwards them
//!     let peer = Peer { address, client: address.ip(), trusted: false, tls: false };
//!     request.extensions_mut().insert(peer);
//!     next.run(request).await
//! }
//! ```
//!
//! # How do I ask without axum?
//!
//! [`Flags`] are in the extensions of every request that went through the layer.

mod builder;
mod error;
mod flagstaff;
mod fleet;
mod history;
mod observer;
mod status;

pub use builder::Builder;
pub use error::StartError;
pub use flagstaff::{Flagstaff, Parts};
#[cfg(feature = "axum")]
pub use flagstaff_layer::VisitorFlags;
pub use flagstaff_layer::{Answers, ChangeStreams, Flags, Peer, TaggerSettings};
pub use flagstaff_tag::BodyProgress;
pub use flagstaff_webhook::{Hook, HookSettings};
pub use status::FlagstaffStatus;

/// What [`TaggerSettings`] are made of.
///
/// ```
/// use flagstaff_embed::TaggerSettings;
/// use flagstaff_embed::settings::{HeaderSettings, SameSite, SendFlags, VisitorSettings};
///
/// let settings = TaggerSettings {
///     headers: HeaderSettings { send: SendFlags::Compact, ..HeaderSettings::default() },
///     visitor: VisitorSettings { same_site: SameSite::Strict, ..VisitorSettings::default() },
///     ..TaggerSettings::default()
/// };
/// # let _ = settings;
/// ```
pub mod settings {
    pub use flagstaff_tag::{
        CacheSettings, CountSettings, ExcludeSettings, HeaderSettings, IssueTo, JwtKey, JwtSettings, SameSite,
        SendFlags, TrustSettings, UserSettings, VisitorSettings, WhenFlagsDiffer,
    };
}
