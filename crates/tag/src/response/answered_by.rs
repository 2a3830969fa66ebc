//! Who answered, where it was not the app that all others have.

use flagstaff_flags::FlagId;

/// Who answered in place of the app that all others have. The server that does so puts it into the answer's extensions (the proxy,
/// `flagstaff-sidecar`; for gates [`closed_gate`](crate::closed_gate)); the layer removes it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweredBy {
    /// The upstream of this flag's variant: no fault.
    Canary(FlagId),
    /// The app, because the upstream of this flag's variant gave no answer: no harm was done, but the upstream is away.
    Fallback(FlagId),
    /// The proxy, because nobody else gave an answer.
    Proxy(NoAnswer),
    /// A gate, as its flag says: no fault.
    Gate,
}

/// Why the proxy had no answer to pass on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The upstream of this flag's variant gave none, and the app did not answer in its place: an error of this flag alone.
    Canary(FlagId),
    /// The app gave none: its fault, unless the request was not complete.
    App,
    /// The client did not send its request as it should have: not the app's fault.
    Client,
    /// This machine lacked a descriptor, a port or memory to ask the app with: neither the app's fault nor the client's.
    Machine,
}
