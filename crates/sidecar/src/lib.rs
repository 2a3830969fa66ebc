#![doc = include_str!("../README.md")]

mod access_log;
mod address;
mod backend;
mod background;
mod body;
mod client;
pub mod demo;
mod descriptors;
mod drain;
mod edge;
mod head;
mod io;
mod meters;
mod pages;
mod process;
mod proxy;
mod refusal;
mod settings;
mod tagging;
mod tls;
mod wire;

pub use backend::Backend;
pub use background::Background;
pub use body::{BoxError, RequestBody, ResponseBody};
pub use drain::Stop;
pub use process::{BindError, Bound, Ended, Sidecar, StartError, pass_over_signals};
pub use proxy::{Proxy, ProxyError};
pub use settings::{AccessLog, CertificateFiles, Limits, ProxySettings, RawSettings, Timeouts};
pub use tagging::SpanLayer;
pub use tls::TlsError;

/// A layer that changes nothing.
pub fn no_layer() -> tower::layer::util::Identity {
    tower::layer::util::Identity::new()
}

/// Readers of outside bytes by themselves, for fuzzing.
#[doc(hidden)]
pub mod fuzzing {
    use crate::wire::framing::Framing;

    /// The address that an entry of `X-Forwarded-For` names.
    #[must_use]
    pub fn forwarded(entry: &[u8]) -> Option<std::net::IpAddr> {
        crate::edge::entry_address(entry)
    }

    /// Why a connection on which these pieces come is refused, when it is.
    pub fn framing<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<String> {
        let mut framing = Framing::new(32_768);
        let mut passed = pieces.into_iter().map(|piece| framing.pass(piece));
        passed.find_map(Result::err).map(|violation| format!("{:?}", violation.refusal))
    }
}
