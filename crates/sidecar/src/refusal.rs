//! What is refused, with the status it gets and the word it is counted under.

use http::StatusCode;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $label:literal, $status:ident;)+) => {
        /// Why a request was refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Refusal { $($(#[$doc])* $name,)+ }

        impl Refusal {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The word it is counted under.
            pub(crate) const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)+ }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }
        }
    };
}

refusals! {
    /// A line of the head that ends without a carriage return.
    BareLineFeed = "bare_line_feed", BAD_REQUEST;
    /// A field that goes on in the next line.
    Folded = "folded_field", BAD_REQUEST;
    /// More than one Content-Length.
    LengthTwice = "length_twice", BAD_REQUEST;
    /// A Content-Length that is not a number.
    LengthBad = "length_bad", BAD_REQUEST;
    /// Content-Length and Transfer-Encoding.
    LengthAndEncoding = "length_and_encoding", BAD_REQUEST;
    /// A Transfer-Encoding other than chunked, or more than one.
    Encoding = "transfer_encoding", BAD_REQUEST;
    /// A chunk whose size is no number, or too large a one.
    ChunkSize = "chunk_size", BAD_REQUEST;
    /// Chunk extensions beyond 256 bytes.
    ChunkExtension = "chunk_extension", BAD_REQUEST;
    /// A chunk that does not end where it said.
    ChunkEnd = "chunk_end", BAD_REQUEST;
    /// Trailers beyond the limit on heads.
    Trailers = "trailers", BAD_REQUEST;
    /// Anything else that is not HTTP.
    Malformed = "malformed", BAD_REQUEST;
    /// HTTP/2 used against its rules.
    Http2 = "http2_protocol", BAD_REQUEST;
    /// No Host, where there must be one.
    HostMissing = "host_missing", BAD_REQUEST;
    /// More than one Host.
    HostTwice = "host_twice", BAD_REQUEST;
    /// A Host that names none.
    HostBad = "host_bad", BAD_REQUEST;
    /// A Host unlike the one in the request's target.
    HostMismatch = "host_mismatch", BAD_REQUEST;
    /// A target that is neither path, nor address, nor `*` with OPTIONS.
    Target = "target", BAD_REQUEST;
    /// CONNECT: this is no forward proxy.
    Connect = "connect", METHOD_NOT_ALLOWED;
    /// TRACE: its answer shows what came, credentials too.
    Trace = "trace", METHOD_NOT_ALLOWED;
    /// A target with bytes that belong in escapes.
    TargetBytes = "target_bytes", BAD_REQUEST;
    /// It was here before: proxies pass it on in a loop.
    Loop = "loop", LOOP_DETECTED;
    /// A head beyond its limit, in bytes or fields.
    HeadTooLarge = "head_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE;
    /// A target beyond 65,534 bytes.
    TargetTooLong = "target_too_long", URI_TOO_LONG;
    /// A body beyond its limit.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE;
    /// A head that did not come in time.
    HeadTimeout = "head_timeout", REQUEST_TIMEOUT;
    /// A body that did not come in time.
    BodyTimeout = "body_timeout", REQUEST_TIMEOUT;
    /// A client that took no bytes in time.
    WriteTimeout = "write_timeout", REQUEST_TIMEOUT;
    /// A TLS handshake that failed.
    Handshake = "tls_handshake", BAD_REQUEST;
    /// A TLS handshake that did not end in time.
    HandshakeTimeout = "tls_handshake_timeout", REQUEST_TIMEOUT;
}

impl Refusal {
    pub(crate) fn from_index(index: u8) -> Option<Self> {
        Self::ALL.get(usize::from(index)).copied()
    }

    /// What a page says besides the status, for the author of the client.
    pub(crate) const fn why(self) -> Option<&'static str> {
        Some(match self {
            Self::TargetBytes => {
                "its address has bytes that must be written as escapes (%22 for a quote, %3C and %3E for < and >, UTF-8)"
            }
            Self::Target => "its target is neither a path nor an address",
            Self::HostMissing => "it names no host",
            Self::HostTwice => "it names two hosts",
            Self::HostBad => "its host is not a valid name or address",
            Self::HostMismatch => "its Host is not the host of its target",
            Self::LengthTwice => "it has more than one Content-Length",
            Self::LengthBad => "its Content-Length is not a number",
            Self::Trace => "TRACE is not answered here",
            Self::Connect => "this is not a forward proxy",
            Self::HeadTooLarge => "its header fields are too many or too long",
            _ => return None,
        })
    }
}
