//! What needs keys that outlast the process, and what tells two sets of keys apart.

use flagstaff_flags::Problem;

use crate::identity::keys::hex;
use crate::settings::{SendFlags, TaggerSettings};

/// Characters of each part of a fingerprint.
const FINGERPRINT_PART: usize = 12;

pub(super) fn fingerprint(keys: &str, settings: &TaggerSettings) -> String {
    let cookies = serde_json::to_vec(&settings.visitor).unwrap_or_default();
    let cookies = hex(ring::digest::digest(&ring::digest::SHA256, &cookies).as_ref());
    let part = |text: &str| text.get(..FINGERPRINT_PART).unwrap_or_default().to_owned();
    format!("{}-{}", part(keys), part(&cookies))
}

pub(super) fn check_signing(settings: &TaggerSettings, problems: &mut Vec<Problem>) {
    let needs_key = [
        (settings.headers.sign, ["headers", "sign"]),
        (settings.user.identify == Some(true), ["user", "identify"]),
        (settings.visitor.consent_cookie.is_some(), ["visitor", "consent_cookie"]),
    ];
    for (_, at) in needs_key.iter().filter(|(on, _)| *on && settings.keys.is_empty()) {
        let problem = Problem::new(*at, "this needs a key that outlasts the process");
        problems.push(problem.help("set FLAGSTAFF_KEYS; make one with `openssl rand -base64 32`"));
    }
    if settings.headers.sign && settings.headers.send == SendFlags::Each {
        let problem =
            Problem::new(["headers", "sign"], "the signature is of X-Flags, which `send = \"each\"` leaves out");
        problems.push(problem.help("say `send = \"both\"`"));
    }
}
