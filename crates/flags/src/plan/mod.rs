//! What of decisions is known before anybody asks: made when a snapshot is made, so that a request does only what hangs on it.
//!
//! A [`Plan`] has the answers that are the same for everybody, and for each unit ([`group`]) the flags that a draw decides, with all
//! their [`salts`] ready for one call. [`lists`] say which users are named by `allow`, `deny` or rules, in a [`user_table`]. What is left is decided step by step.
//! The steps are the definition: `explain` asks them, and a test holds the plan to them.

mod compiled;
mod draft;
mod group;
mod lists;
mod salts;
mod user_table;

pub(crate) use compiled::Plan;
pub(crate) use draft::Draft;
pub(crate) use lists::Lists;
