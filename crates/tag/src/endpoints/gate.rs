//! Kill switches above the code: paths that answer by themselves while their flag is off, even when the app hangs.

use bytes::Bytes;
use flagstaff_flags::{GateAnswer, VariantId};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, LOCATION};
use http::{Method, Response, StatusCode};

use crate::request::flags::Flags;
use crate::response::AnsweredBy;

/// The answer of a gate that is closed for this visitor on this path; `None` where the app is to answer.
///
/// A path counts as written and as servers understand it, so that `/pay/../pay//%63ard` and `/pay\card` are behind the gate of `/pay/*` too.
#[must_use]
pub fn closed_gate(flags: &Flags, method: &Method, path: &str) -> Option<Response<Bytes>> {
    let compiled = flags.compiled();
    let (flag, gate) = compiled.gated().iter().find_map(|id| {
        let flag = compiled.snapshot().flag(*id)?;
        let gate = flag.gate.as_ref()?;
        let is_off = flags.decisions().of(*id).variant() == VariantId::OFF;
        (is_off && gate.stands_before(path)).then_some((flag, gate))
    })?;
    metrics::counter!("flagstaff_gate_closed_total", "flag" => flag.name.to_string()).increment(1);
    let mut answer = answer(&gate.when_off);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.extensions_mut().insert(AnsweredBy::Gate);
    if *method == Method::HEAD {
        answer = answer.map(|_| Bytes::new());
    }
    Some(answer)
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
