//! Pure mathematics of experiments and guards.
