//! The pages that are shown in place of the app's.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};

use crate::body::ResponseBody;
use crate::refusal::Refusal;

/// A plain page that says its status.
pub(crate) fn page(status: StatusCode) -> Response<ResponseBody> {
    let text = match status {
        StatusCode::BAD_REQUEST => "400 Bad Request: this is not a request that can be passed on.\n",
        StatusCode::METHOD_NOT_ALLOWED => "405 Method Not UpstreamPolicy.\n",
        StatusCode::REQUEST_TIMEOUT => "408 Request Timeout: the request did not come in time.\n",
        StatusCode::PAYLOAD_TOO_LARGE => "413 Content Too Large: the request is larger than allowed here.\n",
        StatusCode::BAD_GATEWAY => "502 Bad Gateway: the application cannot be reached.\n",
        StatusCode::SERVICE_UNAVAILABLE => "503 Service Unavailable: too much to do; please try again.\n",
        StatusCode::GATEWAY_TIMEOUT => "504 Gateway Timeout: the application did not answer in time.\n",
        StatusCode::LOOP_DETECTED => {
            "508 Loop Detected: proxies pass this request on to each other; one of them should name the application.\n"
        }
        _ => "500 Internal Server Error.\n",
    };
    plain(status, Bytes::from_static(text.as_bytes()))
}

/// The page in place of an answer whose head is beyond its limits.
pub(crate) fn answer_too_large() -> Response<ResponseBody> {
    let text = "502 Bad Gateway: the application answered with more header fields, or longer ones, than are passed on here; the log says \
                which limit to raise.\n";
    plain(StatusCode::BAD_GATEWAY, Bytes::from_static(text.as_bytes()))
}

/// The page for a request that is refused, with the reason where there is one to say.
pub(crate) fn refused(refusal: Refusal) -> Response<ResponseBody> {
    let status = refusal.status();
    match refusal.why() {
        Some(why) => plain(status, format!("{status}: the request was refused; {why}.\n").into()),
        None => page(status),
    }
}

fn plain(status: StatusCode, text: Bytes) -> Response<ResponseBody> {
    let mut answer = Response::new(ResponseBody::from(text));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
