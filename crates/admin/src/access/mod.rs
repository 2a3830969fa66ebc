//! Who may ask, and who may change something.
//!
//! - `settings.rs`: tokens, names of hosts and trusted proxies, as typed and checked.
//! - `check.rs`: what every request must pass.
//! - `caller.rs`: the person or program that asks, as routes take it.
//! - `token.rs`, `wrong_tokens.rs`: tokens, and the answer to wrong ones.
//! - `sign_in.rs`, `session.rs`: how a browser gets its session, and its cookie.
//! - `ended.rs`: sessions that ended before their time. `carried.rs`: what a browser carries to the next page.
//! - `host.rs`, `origin.rs`: how the address may be named, and which pages may send something to it.
//! - `author.rs`: the name for the record.
//! - `headers.rs`: what every answer tells the browser.

mod author;
mod caller;
mod carried;
mod check;
mod ended;
mod headers;
mod host;
mod origin;
mod session;
mod settings;
mod sign_in;
mod token;
mod wrong_tokens;

use axum::{Router, middleware};

pub(crate) use caller::{Caller, Writer};
pub(crate) use carried::{Carried, MAX_CARRIED_BYTES};
pub(crate) use headers::secured;
pub use settings::{Access, AccessSettings};
pub use token::new_token;

/// Requests that were refused on this address, by reason.
pub const REFUSED: &str = "flagstaff_admin_refused_total";
/// The reasons for which a request is refused here.
pub const REFUSAL_REASONS: [&str; 4] = ["host", "origin", "read_only", "token"];

/// Counts a refusal, for one of [`REFUSAL_REASONS`].
fn refused(reason: &'static str) {
    metrics::counter!(REFUSED, "reason" => reason).increment(1);
}

/// Lets nobody to these routes but whom the rules let in. To those that are `open`, which look at tokens of their own, it lets all who ask by a
/// name of this address.
pub(crate) fn guarded(routes: Router, open: Router, access: &Access) -> Router {
    let caller = middleware::from_fn_with_state(access.clone(), check::caller);
    let host = middleware::from_fn_with_state(access.clone(), check::host);
    let guarded = routes.merge(sign_in::session_routes(access.clone())).layer(caller);
    guarded.merge(sign_in::open_routes(access.clone())).merge(open).layer(host)
}
