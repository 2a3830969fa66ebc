//! What django-waffle's own views answer, for pages that ask them: the visitor's flags by waffle's names. Waffle shows all flags and draws them
//! while it does; here a page sees those with `client = true`, as they are decided for the request, and no cookie of waffle's is set.

use std::collections::BTreeMap;

use flagstaff_flags::VariantId;
use serde::Serialize;

use crate::reply;
use crate::request::flags::Flags;

/// As `/waffle_status` has it.
#[derive(Debug, Serialize)]
struct Status<'a> {
    flags: BTreeMap<&'a str, State>,
    switches: BTreeMap<&'a str, State>,
    samples: BTreeMap<&'a str, State>,
}

/// One flag.
#[derive(Debug, Serialize)]
struct State {
    is_active: bool,
    /// A flag file does not say when a flag was changed.
    last_modified: Option<&'static str>,
}

/// Each flag that browsers may see, by waffle's name.
fn active(flags: &Flags) -> BTreeMap<&str, bool> {
    let seen = flags.decisions().iter().filter(|(_, flag, _)| flag.client);
    seen.map(|(_, flag, decision)| (flag.waffle_name(), decision.variant() != VariantId::OFF)).collect()
}

/// `/.flagstaff/waffle_status`.
pub(crate) fn status(flags: &Flags) -> String {
    let state = |(name, is_active)| (name, State { is_active, last_modified: None });
    let flags = active(flags).into_iter().map(state).collect();
    reply::to_json(&Status { flags, switches: BTreeMap::new(), samples: BTreeMap::new() })
}

/// The object in `/.flagstaff/wafflejs`.
pub(crate) fn flags_of_script(flags: &Flags) -> String {
    reply::to_json(&active(flags))
}
