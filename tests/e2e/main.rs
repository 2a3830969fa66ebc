//! The built program, seen from outside: real sockets, real files, real signals.

mod harness;

mod wire_basics;
mod wire_framing;
