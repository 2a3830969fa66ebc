//! Requests to the collector.

use std::time::Duration;

use async_trait::async_trait;
use flagstaff_outbound::Timeouts;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};

/// How long it may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a batch may take in all.
pub(crate) const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer that are read.
const ANSWER_BYTES: u64 = 64 * 1024;

/// Blocks while it asks: batches are sent by a thread of their own. Follows no redirect.
#[derive(Debug)]
pub(crate) struct Client(ureq::Agent);

impl Client {
    /// It trusts the system's certificates, and uses the proxy of the environment.
    pub(crate) fn new(is_encrypted: bool) -> Self {
        let timeouts = Timeouts { connect: CONNECT_TIMEOUT, total: TOTAL_TIMEOUT };
        let config = flagstaff_outbound::config(is_encrypted, timeouts).build();
        Self(config.new_agent())
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let (parts, body) = self.0.run(Request::from_parts(parts, &*body))?.into_parts();
        let bytes = body.into_with_config().limit(ANSWER_BYTES).read_to_vec()?;
        Ok(Response::from_parts(parts, bytes.into()))
    }
}
