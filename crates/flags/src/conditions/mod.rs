//! Who asks, and whether conditions hold for them.

mod audience;
mod condition;
mod matcher;
mod segment;
mod subject;
mod version;
mod word_list;

pub use audience::Audience;
pub use condition::{Condition, Conditions, Key, KeyError};
pub use matcher::{Matcher, MatcherError};
pub use segment::Segment;
pub use subject::{Attributes, Forced, Held, NoAttributes, Subject, User};
pub use version::Version;
pub use word_list::{Ranges, Words};
