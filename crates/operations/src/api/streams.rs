//! The query of the stream of changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a listener wants to be told.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EventsQuery {
    /// Only states and counts of this flag.
    pub flag: Option<String>,
}
