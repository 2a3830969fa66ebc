//! What all answers for operators have in common.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flagstaff_flags::printable_json;
use serde::Serialize;

/// An answer that no cache keeps.
pub(crate) fn no_store(answer: impl IntoResponse) -> Response {
    let mut answer = answer.into_response();
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// What is wrong with a request, in the form of RFC 9457. Its `type` is `about:blank`, so its title is the status in words.
#[derive(Debug, Serialize)]
struct ProblemDetails<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    help: &'a str,
}

/// Says to a program what is wrong with its request (`detail`), and what to do about it (`help`; empty: nothing).
pub(crate) fn problem(status: StatusCode, detail: &str, help: &str) -> Response {
    let details = ProblemDetails { kind: "about:blank", title: title(status), status: status.as_u16(), detail, help };
    let json = serde_json::to_string(&details).unwrap_or_default();
    let format = HeaderValue::from_static("application/problem+json");
    no_store((status, [(header::CONTENT_TYPE, format)], printable_json(&json).into_owned()))
}

/// A refusal in the form that the client reads: a page for a browser, [`problem`] for other clients.
pub(crate) fn refusal(headers: &HeaderMap, status: StatusCode, detail: &str, help: &str) -> Response {
    if !wants_page(headers) {
        return problem(status, detail, help);
    }
    page(status, title(status), &format!("<p>{}</p>\n<p>{}</p>", escaped(detail), escaped(help)))
}

fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Refused")
}

/// Whether a person looks at the answer.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts.flat_map(|value| value.split(',')).any(|kind| kind.trim().starts_with("text/html"))
}

/// A small page for what the pages themselves do not answer: a title, and HTML below it.
pub(crate) fn page(status: StatusCode, title: &str, html: &str) -> Response {
    let title = escaped(title);
    let text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} · Flagstaff</title>\n\
         <link rel=\"stylesheet\" href=\"/session.css\">\n<main>\n<h1>{title}</h1>\n{html}\n</main>\n</html>\n"
    );
    no_store((status, [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], text))
}

/// A text as it may stand in HTML, also between quotes.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

/// Marks an answer that goes on for as long as its client listens, such as server-sent events: it is an extension of the answer. The
/// server gives such an answer a place among the streams, and its connection no longer counts among the others nor ends with their
/// time. Where all places of streams are taken, the client gets 503 instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LongLived;

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    async fn text(answer: Response) -> String {
        String::from_utf8(to_bytes(answer.into_body(), 10_000).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn programs_get_the_mend_as_json_and_people_as_a_page() {
        let (detail, help) = ("no <flag>\u{9b} here", "name one that \"exists\"");
        let mut headers = HeaderMap::new();
        let answer = refusal(&headers, StatusCode::NOT_FOUND, detail, help);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/problem+json");
        let json: serde_json::Value = serde_json::from_str(&text(answer).await).unwrap();
        assert_eq!((&json["title"], &json["status"]), (&"Not Found".into(), &404.into()));
        assert_eq!(json["type"], "about:blank");
        assert_eq!((&json["detail"], &json["help"]), (&detail.into(), &help.into()));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/xhtml+xml, text/html;q=0.9"));
        let page = text(refusal(&headers, StatusCode::NOT_FOUND, detail, help)).await;
        assert!(page.contains("no &lt;flag&gt;") && page.contains("&quot;exists&quot;"), "{page}");
    }
}
