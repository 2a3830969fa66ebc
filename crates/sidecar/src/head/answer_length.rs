//! The length that an app's answer says of itself.
//!
//! hyper goes by what counts and leaves the other fields as they came. Passed on, they would tell the client another length than the body
//! has.

use http::StatusCode;
use http::header::{self, HeaderMap, HeaderValue};

/// Leaves the one `Content-Length` that counts: none beside `Transfer-Encoding` (RFC 9112, 6.3), one of several that are equal, none of
/// an answer that cannot have a body (RFC 9110, 8.6). Returns false where they differ, or are no numbers.
pub(crate) fn make_one(status: StatusCode, headers: &mut HeaderMap) -> bool {
    let has_no_body = status.is_informational() || status == StatusCode::NO_CONTENT;
    if has_no_body || headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
        return true;
    }
    let mut values = headers.get_all(header::CONTENT_LENGTH).iter();
    let (Some(first), None) = (values.next(), values.next()) else { return make_one_of_several(headers) };
    is_number(first.as_bytes()) || make_one_of_several(headers)
}

#[cold]
fn make_one_of_several(headers: &mut HeaderMap) -> bool {
    let all = headers.get_all(header::CONTENT_LENGTH).iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
    let mut all = all.map(<[u8]>::trim_ascii);
    let Some(first) = all.next() else { return true };
    let one = HeaderValue::from_bytes(first).ok().filter(|_| is_number(first) && all.all(|other| other == first));
    let Some(one) = one else { return false };
    headers.insert(header::CONTENT_LENGTH, one);
    true
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_length_is_left() {
        let with_status = |status: u16, fields: &[(&'static str, &'static str)]| {
            let pairs = fields.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
            let mut headers: HeaderMap = HeaderMap::new();
            pairs.for_each(|(name, value): (header::HeaderName, _)| _ = headers.append(name, value));
            let is_fine = make_one(StatusCode::from_u16(status).unwrap(), &mut headers);
            let left: Vec<_> =
                headers.get_all("content-length").iter().map(|v| v.to_str().unwrap().to_owned()).collect();
            is_fine.then_some(left)
        };
        let of = |fields: &[(&'static str, &'static str)]| with_status(200, fields);
        let some = |values: &[&str]| Some(values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&[]), some(&[]));
        assert_eq!(of(&[("content-length", "3")]), some(&["3"]));
        assert_eq!(of(&[("content-length", "3"), ("transfer-encoding", "chunked")]), some(&[]));
        assert_eq!(of(&[("content-length", "3"), ("content-length", "3")]), some(&["3"]));
        assert_eq!(of(&[("content-length", "3, 3")]), some(&["3"]));
        for bad in ["3, 5", "3,", "-1", "", "three"] {
            assert_eq!(of(&[("content-length", bad)]), None, "{bad:?}");
        }
        assert_eq!(of(&[("content-length", "3"), ("content-length", "5")]), None);
        for (status, left) in [(101, &[] as &[&str]), (204, &[]), (304, &["3"])] {
            assert_eq!(with_status(status, &[("content-length", "3")]), some(left), "{status}");
        }
    }
}
