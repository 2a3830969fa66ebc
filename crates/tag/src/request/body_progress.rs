//! When the body of a request was complete.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// Notes when the body of a request was complete. The server that reads bodies puts one into the extensions of every request
/// whose body is still to come, and says when it has come. Without it the client's time cannot be told from the app's.
/// Clones share the note.
#[derive(Clone, Debug, Default)]
pub struct BodyProgress(Arc<OnceLock<Instant>>);

impl BodyProgress {
    /// The body is complete now. A second call changes nothing.
    pub fn complete(&self) {
        self.0.get_or_init(Instant::now);
    }

    /// When it was complete; none while it is not.
    #[must_use]
    pub fn completed_at(&self) -> Option<Instant> {
        self.0.get().copied()
    }
}
