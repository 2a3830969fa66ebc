//! What happened: exposures, conversions and counts in SQLite or PostgreSQL.
