//! Faults on request, so that one can see what the numbers make of a variant that fails or is slow.

use std::time::Duration;

use http::{HeaderMap, HeaderName, StatusCode};

use super::pages::View;

/// The request header that asks the shop, and no other app, for faults: `FLAG=VARIANT; status=500; delay=800`, several with
/// commas. Those apply whose flag has the variant; `delay` is in milliseconds, at most 10,000; `status` is 400 to 599.
pub const FAULT: HeaderName = HeaderName::from_static("x-shop-fault");

/// The longest delay, in milliseconds.
const MAX_DELAY_MS: u64 = 10_000;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: Option<StatusCode>,
    pub(super) delay: Option<Duration>,
}

impl Fault {
    /// Reads what is asked for. What makes no sense asks for nothing.
    pub(super) fn read(headers: &HeaderMap, view: &View<'_>) -> Self {
        let mut fault = Self::default();
        let values = headers.get_all(FAULT).iter().filter_map(|value| value.to_str().ok());
        for entry in values.flat_map(|value| value.split(',')) {
            let mut parts = entry.split(';').filter_map(|part| part.trim().split_once('='));
            if parts.next().is_some_and(|(flag, variant)| view.flag(flag) == variant) {
                parts.for_each(|part| fault.take(part));
            }
        }
        fault
    }

    fn take(&mut self, (key, value): (&str, &str)) {
        match key {
            "status" => {
                let status = value.parse::<u16>().ok().filter(|status| (400..600).contains(status));
                self.status = status.and_then(|status| StatusCode::from_u16(status).ok()).or(self.status);
            }
            "delay" => {
                let millis = value.parse::<u64>().ok().filter(|millis| *millis <= MAX_DELAY_MS);
                self.delay = millis.map(Duration::from_millis).or(self.delay);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(wish: &'static str, flags: &[(&'static str, &'static str)]) -> Fault {
        let flags = flags.iter().map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_static(v)));
        let headers: HeaderMap = flags.chain([(FAULT, HeaderValue::from_static(wish))]).collect();
        Fault::read(&headers, &View::read(&headers))
    }

    #[test]
    fn only_the_variant_that_is_named_fails() {
        let on = [("x-flag-form", "on")];
        let failing = Fault { status: Some(StatusCode::INTERNAL_SERVER_ERROR), delay: None };
        assert_eq!(of("form=on; status=500", &on), failing);
        assert_eq!(of("form=off; status=500", &on), Fault::default());
        assert_eq!(of("form=off; status=500", &[]), failing);
        let slow = of("other=on; status=404, form=on; delay=800", &on);
        assert_eq!(slow, Fault { status: None, delay: Some(Duration::from_millis(800)) });
    }

    #[test]
    fn nonsense_asks_for_nothing() {
        for wish in
            ["", "form", "form=on", "form=on; status=200; delay=10001", "status=500", "form=on; status=; delay=-1"]
        {
            assert_eq!(of(wish, &[("x-flag-form", "on")]), Fault::default(), "{wish}");
        }
    }
}
