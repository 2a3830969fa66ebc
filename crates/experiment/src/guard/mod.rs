//! Whether a variant must be rolled back.
//!
//! ```text
//! first bad event of a visitor → GuardTests::observe → Counted | Alarm(Evidence)   within the stated false-alarm chance
//! every answer                 → ErrorRateWindow     → an outage that both share: hold, do not roll back
//! every answer                 → Fuse                → Blown                       for the obvious, outside that chance
//! a variant's upstream is away → UpstreamWatch       → UpstreamAway                hold; roll back when it lasts
//! a visitor saw the flag       → ExposedUnits        → whose later answers count
//! from which network           → NetworkShares       → whose signs are limited
//! ```
//!
//! [`GuardTests`] counts, per flag, the first bad event of each visitor and compares every variant with the control by
//! [`flagstaff_stats::guard`]. The same steps and events in the same order give the same state bit for bit, so a record of them is
//! enough to go on after a restart, and [`Evidence`] is enough to check a decision afterwards.

mod error_rate_window;
mod evidence;
mod exposed_units;
mod fuse;
mod limit;
mod networks;
mod replay;
mod sign;
mod test_set;
mod test_settings;
mod upstream;

pub use error_rate_window::{BAD, ErrorRateWindow, FEWEST, Outage, Rate, Rates};
pub use evidence::{Evidence, EvidenceSegment};
pub use exposed_units::ExposedUnits;
pub use fuse::{Blown, Failed, Fuse};
pub use limit::{ENOUGH, Limit};
pub use networks::{NetworkKey, NetworkShares, Quota, UNLIMITED_PART};
pub use sign::{Sign, SignError};
pub use test_set::{GuardEvent, GuardTests, MOST_VISITORS, Seen};
pub use test_settings::{GuardTestSettings, GuardTestSettingsError};
pub use upstream::{UpstreamAway, UpstreamWatch};
