//! The subject of a decision, and whether conditions hold for it.
//!
//! [`subject`] is all that a decision may look at. A [`condition`] looks at one value of it through a [`matcher`], which may be a
//! [`word_list`] or a [`version`]. A [`segment`] is a named group of subjects, an [`audience`] is what `allow` and `deny` name. [`kept_values`] are the values
//! of one subject, kept beyond its request.

mod audience;
mod condition;
mod kept_values;
mod matcher;
mod segment;
mod subject;
mod version;
mod word_list;

pub use audience::Audience;
pub use condition::{Condition, Conditions, Key, KeyError};
pub use kept_values::{AskedKeys, KeptValues};
pub use matcher::{Matcher, MatcherError};
pub use segment::Segment;
pub use subject::{Attributes, ForcedVariant, NoAttributes, StickyVariant, Subject, User};
pub use version::Version;
pub use word_list::{IpRanges, WordList};
