//! Whether a variant must be taken back.
//!
//! ```text
//! first bad event of a visitor → Watch::see → Counted | Alarm(Evidence)        within the stated false-alarm chance
//! every answer                 → Pulse      → an outage that both share: hold, do not take back
//! every answer                 → Fuse       → Blown                            for the obvious, outside that chance
//! a variant's upstream is away → Stand      → Away                             hold; roll back when it lasts
//! who met the flag             → Met        → whose later answers count
//! from which network           → Crowd      → whose signs are limited
//! ```
//!
//! A [`Watch`] counts, per flag, the first bad event of each visitor and compares every variant with the control by
//! [`flagstaff_stats::guard`]. The same steps and events in the same order give the same state bit for bit, so a record of them is
//! enough to go on after a restart, and [`Evidence`] is enough to check a decision afterwards.

mod away;
mod crowd;
mod evidence;
mod fuse;
mod limit;
mod met;
mod pulse;
mod replay;
mod sign;
mod terms;
mod watch;

pub use away::{Away, Stand};
pub use crowd::{CROWD, Crowd, Origin, Quota};
pub use evidence::{Evidence, Stretch};
pub use fuse::{Blown, Failed, Fuse};
pub use limit::{ENOUGH, Limit};
pub use met::Met;
pub use pulse::{BAD, FEWEST, Outage, Pulse, Rate, Rates};
pub use sign::{Sign, SignError};
pub use terms::{Terms, TermsError};
pub use watch::{Event, MOST_VISITORS, Seen, Watch};
