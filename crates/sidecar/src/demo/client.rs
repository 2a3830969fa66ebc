//! Visitors of the shop, for trying things out: they keep cookies as browsers do.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::Body;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::VARIANTS;

/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection to the proxy in front of the shop, over which one visitor after the other comes.
#[derive(Debug)]
pub struct Client {
    host: HeaderValue,
    sender: http1::SendRequest<String>,
}

/// What one visitor's browser is and has.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    /// What it sends with each request: `User-Agent` and the like.
    pub headers: HeaderMap,
    cookies: Vec<(String, String)>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    headers: HeaderMap,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens there, or not any more.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The answer was cut off or is no HTTP.
    #[error("{0}")]
    Http(#[from] hyper::Error),
    /// None came in time.
    #[error("no answer came within {} seconds", ANSWER_TIMEOUT.as_secs())]
    Late,
}

impl Client {
    /// Connects to `host:port`.
    ///
    /// # Errors
    /// When nobody listens there, or it is not a valid host name.
    pub async fn connect(authority: &str) -> Result<Self, ClientError> {
        let no_host = |_| io::Error::new(io::ErrorKind::InvalidInput, "this is not a valid host name");
        let host = HeaderValue::from_str(authority).map_err(no_host)?;
        let stream = TcpStream::connect(authority).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // its error is that of the request under way, too
        tokio::spawn(async {
            let _ = connection.await;
        });
        Ok(Self { host, sender })
    }

    /// Whether another request can be sent.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// One request of a browser, with its cookies; it keeps those of the answer.
    ///
    /// # Errors
    /// When no whole answer comes in time.
    pub async fn ask(
        &mut self,
        browser: &mut Browser,
        method: &Method,
        path: &str,
        body: &str,
    ) -> Result<Answer, ClientError> {
        let mut request = Request::new(body.to_owned());
        *request.method_mut() = method.clone();
        let no_path = |_| io::Error::new(io::ErrorKind::InvalidInput, "this is not a path");
        *request.uri_mut() = path.parse().map_err(no_path)?;
        *request.headers_mut() = browser.headers.clone();
        request.headers_mut().insert(header::HOST, self.host.clone());
        if let Some(cookies) = browser.cookie_line() {
            request.headers_mut().insert(header::COOKIE, cookies);
        }
        let answer = async {
            self.sender.ready().await?;
            let response = self.sender.send_request(request).await?;
            read(response).await
        };
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, answer).await.map_err(|_| ClientError::Late)??;
        browser.keep(&answer.headers);
        Ok(answer)
    }
}

/// Reads the body to its end, so that the next request finds the connection free.
async fn read<B: Body<Data = Bytes, Error = hyper::Error>>(response: Response<B>) -> Result<Answer, ClientError> {
    let (head, body) = response.into_parts();
    let mut body = std::pin::pin!(body);
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        frame?;
    }
    Ok(Answer { status: head.status, headers: head.headers })
}

impl Browser {
    /// A browser that sends these headers.
    #[must_use]
    pub fn new(headers: HeaderMap) -> Self {
        Self { headers, cookies: Vec::new() }
    }

    /// With a cookie from before.
    pub fn set(&mut self, name: &str, value: &str) {
        self.cookies.retain(|(other, _)| other != name);
        self.cookies.push((name.into(), value.into()));
    }

    /// A cookie's value.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    fn cookie_line(&self) -> Option<HeaderValue> {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        HeaderValue::from_str(&pairs.join("; ")).ok().filter(|_| !pairs.is_empty())
    }

    fn keep(&mut self, headers: &HeaderMap) {
        let lines = headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        for line in lines {
            let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            self.set(name.trim(), value.trim());
            if attributes.split(';').any(|one| one.trim().eq_ignore_ascii_case("max-age=0")) {
                self.cookies.retain(|(other, _)| other != name.trim());
            }
        }
    }
}

impl Answer {
    /// The page of the same site that a browser goes on to by itself.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        let to = self.headers.get(header::LOCATION).filter(|_| self.status.is_redirection())?;
        to.to_str().ok().filter(|to| to.starts_with('/'))
    }

    /// The number in a header.
    #[must_use]
    pub fn number(&self, header: &str) -> Option<u64> {
        self.headers.get(header)?.to_str().ok()?.parse().ok()
    }

    /// Which variant of a flag the shop was told, `off` when none; nothing when the answer is not the shop's.
    #[must_use]
    pub fn variant(&self, flag: &str) -> Option<&str> {
        let all = self.headers.get(VARIANTS)?.to_str().ok()?;
        let pairs = all.split(',').filter_map(|pair| pair.trim().split_once('='));
        Some(pairs.filter(|(name, _)| *name == flag).map(|(_, variant)| variant).next_back().unwrap_or("off"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_kept_and_rolled_back() {
        let mut browser = Browser::new(HeaderMap::new());
        let keep = |browser: &mut Browser, line: &'static str| {
            browser.keep(&[(header::SET_COOKIE, HeaderValue::from_static(line))].into_iter().collect());
        };
        assert_eq!(browser.cookie_line(), None);
        keep(&mut browser, "a=1; Path=/; HttpOnly");
        keep(&mut browser, "b=2");
        keep(&mut browser, "a=3");
        assert_eq!(browser.cookie_line().unwrap(), "b=2; a=3");
        keep(&mut browser, "a=; Path=/; Max-Age=0");
        assert_eq!((browser.cookie("a"), browser.cookie("b")), (None, Some("2")));
    }

    #[test]
    fn only_the_shop_tells_variants() {
        let answer = |headers: HeaderMap| Answer { status: StatusCode::OK, headers };
        let shop = answer([(VARIANTS, HeaderValue::from_static("a=on, b=simple"))].into_iter().collect());
        assert_eq!((shop.variant("b"), shop.variant("c")), (Some("simple"), Some("off")));
        assert_eq!(answer(HeaderMap::new()).variant("a"), None);
    }
}
