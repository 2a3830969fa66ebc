//! How a call of gRPC ended. Its answers always have the HTTP status 200; a call that fails before its first message says so in its head.

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// nginx's status for a client that went away; gRPC's mapping takes it for a call that was cancelled.
const CLIENT_CLOSED: u16 = 499;

/// The status that an answer counts with: its own, or what the status of gRPC means as one of HTTP.
pub(crate) fn counted_status<R>(response: &Response<R>) -> StatusCode {
    of_call(response.headers()).unwrap_or_else(|| response.status())
}

fn of_call(headers: &HeaderMap) -> Option<StatusCode> {
    let status = headers.get(GRPC_STATUS)?;
    is_grpc(headers).then(|| of_code(status)).flatten()
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    kind.get(..16).is_some_and(|kind| kind.eq_ignore_ascii_case(b"application/grpc"))
}

/// As `google.rpc.Code` is mapped to HTTP; a code that nobody has defined counts as unknown.
fn of_code(code: &HeaderValue) -> Option<StatusCode> {
    let code: u32 = code.to_str().ok()?.parse().ok()?;
    Some(match code {
        0 => StatusCode::OK,
        1 => StatusCode::from_u16(CLIENT_CLOSED).ok()?,
        3 | 9 | 11 => StatusCode::BAD_REQUEST,
        4 => StatusCode::GATEWAY_TIMEOUT,
        5 => StatusCode::NOT_FOUND,
        6 | 10 => StatusCode::CONFLICT,
        7 => StatusCode::FORBIDDEN,
        8 => StatusCode::TOO_MANY_REQUESTS,
        12 => StatusCode::NOT_IMPLEMENTED,
        14 => StatusCode::SERVICE_UNAVAILABLE,
        16 => StatusCode::UNAUTHORIZED,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(kind: &str, code: Option<&str>) -> u16 {
        let mut response = Response::builder().header(CONTENT_TYPE, kind);
        if let Some(code) = code {
            response = response.header(GRPC_STATUS, code);
        }
        counted_status(&response.body(()).unwrap()).as_u16()
    }

    #[test]
    fn a_call_that_fails_counts_as_the_status_that_it_means() {
        for (code, status) in
            [("0", 200), ("1", 499), ("2", 500), ("4", 504), ("5", 404), ("13", 500), ("14", 503), ("99", 500)]
        {
            assert_eq!(counted("application/grpc", Some(code)), status, "{code}");
        }
        assert_eq!(counted("Application/gRPC+proto", Some("7")), 403);
    }

    #[test]
    fn all_else_counts_with_its_own_status() {
        assert_eq!(counted("application/grpc", None), 200, "its status comes after the last message");
        assert_eq!(counted("text/html", Some("13")), 200, "not a call");
        assert_eq!(counted("application/grpc", Some("broken")), 200);
    }
}
