//! The tower layer that tags every request with its visitor and flags.
