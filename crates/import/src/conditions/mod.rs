//! Trees of conditions become tables of the flag file.
//!
//! `normal` spreads a tree into alternatives, each a list of tests that must all hold. `table` joins the tests of an alternative
//! into one table, in which every key stands once, with what `value` says of each key. What does not fit into one table goes into a
//! segment of its own.

mod normal;
mod table;
mod value;

pub(crate) use normal::{Literal, Tested, normal};
pub(crate) use table::{Bounds, Tables, Wanted, WrittenTable};
