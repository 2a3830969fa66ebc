//! What a flag is and who gets which variant: pure, no clock, no I/O.
