//! A flag document becomes a snapshot, and again when it changes.
