//! Whose fault an answer is.

use flagstaff_flags::FlagId;

/// Why an answer is not the app's own, or not that of the app which all others have. The server that answers in the app's place puts it
/// into the answer's extensions (the proxy, `flagstaff-sidecar`; for gates [`closed_gate`](crate::closed_gate)); the layer removes it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultOrigin {
    /// The upstream of this flag's variant gave no answer, and the app did not answer in its place: an error of this flag alone.
    Canary(FlagId),
    /// The upstream of this flag's variant gave no answer, and the app answered in its place: no harm was done, but the upstream is away.
    Fallback(FlagId),
    /// The upstream of this flag's variant answered by itself: no fault.
    Answered(FlagId),
    /// The app gave no answer: its fault, unless the request was not complete.
    Upstream,
    /// The client did not send its request as it should have: not the app's fault.
    Client,
    /// The proxy lacked a descriptor, a port or memory to ask the app with: neither the app's fault nor the client's.
    Proxy,
    /// A gate answered, as its flag says: no fault.
    Gate,
}
