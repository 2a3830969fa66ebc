//! A request and its answer, or the problem.

use std::io::Read;
use std::time::Duration;

use flagstaff_operations::Error;
use flagstaff_operations::api::{Problem, ProblemKind};
use flagstaff_outbound::Timeouts;
use http::{HeaderValue, Method, Response, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::Body;

/// How long it may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a stream may be silent: a running program sends something every 15 seconds.
const SILENCE: Duration = Duration::from_secs(40);
/// How long a request may take in all, but for an answer that is as long as what was recorded.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of an answer that is read whole.
const ANSWER_BYTES: u64 = 64 * 1024 * 1024;

/// A running program. Blocks while it asks.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    /// Without a slash at its end.
    base: String,
    token: Option<String>,
    author: Option<String>,
}

/// The header by which a program says who uses it.
const AUTHOR: &str = "x-flagstaff-author";

/// A request.
pub(crate) struct Ask<'a> {
    method: Method,
    path: String,
    media: &'static str,
    body: Option<&'a [u8]>,
    /// The answer may take as long as it goes on: a stream, or all that was recorded.
    is_long: bool,
}

impl<'a> Ask<'a> {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), media: "", body: None, is_long: false }
    }

    /// A question whose answer goes on for as long as it is read.
    pub(crate) fn long(path: impl Into<String>) -> Self {
        Self { is_long: true, ..Self::get(path) }
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self { method: Method::DELETE, ..Self::get(path) }
    }

    /// An order that says all by its path.
    pub(crate) fn order(path: impl Into<String>) -> Self {
        Self { method: Method::POST, ..Self::get(path) }
    }

    pub(crate) fn send(method: Method, path: impl Into<String>, media: &'static str, body: &'a [u8]) -> Self {
        Self { method, media, body: Some(body), ..Self::get(path) }
    }

    /// With what a query says; what is nothing is left out.
    pub(crate) fn query(mut self, query: &impl Serialize) -> Self {
        let mut text = form_urlencoded::Serializer::new(String::new());
        if let Ok(Value::Object(all)) = serde_json::to_value(query) {
            for (key, value) in &all {
                match value {
                    Value::Null => {}
                    Value::String(value) => drop(text.append_pair(key, value)),
                    value => drop(text.append_pair(key, &value.to_string())),
                }
            }
        }
        let text = text.finish();
        if !text.is_empty() {
            self.path = format!("{}?{text}", self.path);
        }
        self
    }
}

/// The path of a flag.
pub(crate) fn of_flag(flag: &str, rest: &str) -> String {
    format!("/api/v1/flags/{}{rest}", utf8_percent_encode(flag, NON_ALPHANUMERIC))
}

impl Client {
    /// A client for the operators' address of a running program, such as `https://flags.example:8081`. It trusts the system's
    /// certificates (`SSL_CERT_FILE` names others) and uses the proxy of the environment (`HTTPS_PROXY`, `NO_PROXY`).
    ///
    /// # Errors
    /// When this is no address.
    pub fn new(url: &str, token: Option<String>) -> Result<Self, Error> {
        let wrong = |why: &str| Err(Error::Input(format!("{url} is not an address: {why}")));
        let Ok(uri) = url.trim_end_matches('/').parse::<Uri>() else {
            return wrong("write http://HOST:PORT or https://HOST:PORT");
        };
        let is_encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return wrong("write http://HOST:PORT or https://HOST:PORT"),
        };
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(Error::Input(
                "an address has no name and password in it; the token is said by itself".into(),
            ));
        }
        if uri.query().is_some() {
            return wrong("it ends before `?`");
        }
        let timeouts = Timeouts { connect: CONNECT_TIMEOUT, total: TOTAL_TIMEOUT };
        let config = flagstaff_outbound::config(is_encrypted, timeouts).build();
        Ok(Self {
            agent: config.new_agent(),
            base: uri.to_string().trim_end_matches('/').into(),
            token,
            author: None,
        })
    }

    /// The same, for a person who is recorded with what they change.
    #[must_use]
    pub fn by(self, author: &str) -> Self {
        Self { author: Some(author.into()), ..self }
    }

    /// The address of the program.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.base
    }

    /// Asks, and reads the whole answer.
    pub(crate) fn ask<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, Error> {
        let response = self.response(ask)?;
        let bytes = response.into_body().into_with_config().limit(ANSWER_BYTES).read_to_vec();
        let bytes = bytes.map_err(|error| self.away(&error))?;
        serde_json::from_slice(&bytes).map_err(|error| self.stranger(&format!("its answer cannot be read: {error}")))
    }

    /// Sends something as JSON, and reads the whole answer.
    pub(crate) fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::Input(error.to_string()))?;
        self.ask(&Ask::send(method, path, "application/json", &body))
    }

    /// Asks; the answer is still to be read.
    pub(crate) fn response(&self, ask: &Ask<'_>) -> Result<Response<Body>, Error> {
        let mut request = http::Request::builder().method(&ask.method).uri(format!("{}{}", self.base, ask.path));
        if let Some(token) = &self.token {
            request = request.header(http::header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(author) =
            self.author.as_deref().and_then(|author| HeaderValue::from_bytes(author.as_bytes()).ok())
        {
            request = request.header(AUTHOR, author);
        }
        if ask.body.is_some() {
            request = request.header(http::header::CONTENT_TYPE, ask.media);
        }
        let unsent = |error: http::Error| Error::Input(format!("the request cannot be sent: {error}"));
        let answered = match ask.body {
            Some(body) => self.agent.run(request.body(body).map_err(unsent)?),
            None if ask.is_long => {
                let request = self.agent.configure_request(request.body(()).map_err(unsent)?);
                self.agent.run(request.timeout_global(None).timeout_per_read(Some(SILENCE)).build())
            }
            None => self.agent.run(request.body(()).map_err(unsent)?),
        };
        let response = answered.map_err(|error| self.away(&error))?;
        if response.status().is_success() { Ok(response) } else { Err(self.problem(response)) }
    }

    /// What the program says where it does not do what is asked.
    fn problem(&self, response: Response<Body>) -> Error {
        let status = response.status();
        if status.is_redirection() {
            return self.stranger(&format!("it answered {status}, and redirects are not followed"));
        }
        let mut bytes = Vec::new();
        let _ = response.into_body().into_reader().take(ANSWER_BYTES).read_to_end(&mut bytes);
        match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => Error::Elsewhere(Box::new(problem)),
            Err(_) => self.stranger(&format!("it answered {status}")),
        }
    }

    /// The program does not answer.
    fn away(&self, error: &ureq::Error) -> Error {
        let why = match error {
            ureq::Error::Timeout(_) => "it does not answer in time".into(),
            ureq::Error::HostNotFound => "its host is not known".into(),
            ureq::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        };
        let problem = Problem::new(ProblemKind::Status, 0, "", format!("{} cannot be asked: {why}", self.base));
        Error::Elsewhere(Box::new(problem.help("is the program running, and is this its address for operators?")))
    }

    /// Something else answers there.
    fn stranger(&self, why: &str) -> Error {
        let problem = Problem::new(ProblemKind::Status, 0, "", format!("{} is no Flagstaff: {why}", self.base));
        Error::Elsewhere(Box::new(problem.help("name the address for operators of a program of the same version")))
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_operations::api::{ExportQuery, SimulationQuery};

    use super::*;

    #[test]
    fn what_is_no_address_is_refused_with_the_mend() {
        for wrong in
            ["flags.example:8081", "ftp://flags.example", "", "https://me:secret@flags.example", "http://a/?b"]
        {
            let why = Client::new(wrong, None).unwrap_err().to_string();
            assert!(!why.is_empty() && !why.contains("secret"), "{wrong}: {why}");
        }
        for right in ["http://127.0.0.1:8081", "http://127.0.0.1:8081/", "https://flags.example/behind/a/proxy/"] {
            assert!(!Client::new(right, None).unwrap().address().ends_with('/'), "{right}");
        }
    }

    #[test]
    fn names_and_queries_are_escaped() {
        assert_eq!(of_flag("a/b ?", "/on"), "/api/v1/flags/a%2Fb%20%3F/on");
        let query = SimulationQuery { percent: Some(12.5), visitors: None };
        assert_eq!(Ask::get("/x").query(&query).path, "/x?percent=12.5");
        let query = ExportQuery { flag: Some("a&b".into()), ..ExportQuery::default() };
        assert_eq!(Ask::get("/x").query(&query).path, "/x?flag=a%26b&format=csv&per=visitor");
    }
}
