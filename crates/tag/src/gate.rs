//! Kill switches above the code: paths that answer by themselves while their flag is off, even when the app hangs.

use bytes::Bytes;
use flagstaff_flags::{Gate, GateAnswer, VariantId};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, LOCATION};
use http::{Method, Response, StatusCode};

use crate::blame::Blame;
use crate::flags::Flags;

/// The answer of a gate that is closed for this visitor on this path; `None` where the app is to answer.
///
/// A path counts as written and as servers understand it, so that `/pay/../pay//%63ard` is behind the gate of `/pay/*` too.
#[must_use]
pub fn closed_gate(flags: &Flags, method: &Method, path: &str) -> Option<Response<Bytes>> {
    let plan = flags.plan();
    let (flag, gate) = plan.gated().iter().find_map(|id| {
        let flag = plan.snapshot().flag(*id)?;
        let gate = flag.gate.as_ref()?;
        let is_off = flags.decisions().of(*id).variant() == VariantId::OFF;
        (is_off && stands_before(gate, path)).then_some((flag, gate))
    })?;
    metrics::counter!("flagstaff_gate_closed_total", "flag" => flag.name.to_string()).increment(1);
    let mut answer = answer(&gate.when_off);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.extensions_mut().insert(Blame::Gate);
    if *method == Method::HEAD {
        answer = answer.map(|_| Bytes::new());
    }
    Some(answer)
}

fn stands_before(gate: &Gate, path: &str) -> bool {
    let fits = |path: &str| gate.paths.iter().any(|glob| glob.fits(path));
    fits(path) || fits(&plain(path))
}

/// The path without escapes, parameters (`;a=b`), empty parts, `.` and `..` (RFC 3986, 5.2.4 and 3.3). One that ends in such a part ends in `/`.
fn plain(path: &str) -> String {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let mut parts: Vec<&str> = Vec::new();
    let mut is_folder = false;
    for part in decoded.split('/') {
        let part = part.split(';').next().unwrap_or(part);
        is_folder = matches!(part, "" | "." | "..");
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let end = if is_folder && !parts.is_empty() { "/" } else { "" };
    format!("/{}{end}", parts.join("/"))
}

fn answer(when_off: &GateAnswer) -> Response<Bytes> {
    match when_off {
        GateAnswer::Redirect(to) => {
            let mut answer = Response::new(Bytes::new());
            *answer.status_mut() = StatusCode::SEE_OTHER;
            if let Ok(to) = HeaderValue::from_str(to) {
                answer.headers_mut().insert(LOCATION, to);
            }
            answer
        }
        GateAnswer::Page { status, body } => {
            let mut answer = Response::new(Bytes::copy_from_slice(body.as_bytes()));
            *answer.status_mut() = StatusCode::from_u16(*status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            let is_html = body.trim_start().starts_with('<');
            let kind = if is_html { "text/html; charset=utf-8" } else { "text/plain; charset=utf-8" };
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            answer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_servers_read_them() {
        for path in [
            "/pay/card",
            "/pay/../pay/card",
            "//pay//card",
            "/p%61y/%63ard",
            "/./pay/./card",
            "/x/..%2fpay/card",
            "/pay;a=b/card;c",
        ] {
            assert_eq!(plain(path), "/pay/card", "{path}");
        }
        assert_eq!((plain("/"), plain(""), plain("/../..")), ("/".into(), "/".into(), "/".into()));
        for path in ["/pay/", "/pay/.", "/x/../pay/.", "/pay/card/..", "/pay/%2e"] {
            assert_eq!(plain(path), "/pay/", "{path}");
        }
    }
}
