//! Answers for people: what is written to the terminal, and how it looks there.
//!
//! - `output.rs`: standard output and standard error.
//! - `passing.rs`: how far something is, while it goes on.
//! - `style.rs`: colours.
//! - `table.rs`: tables, bars and numbers.
//! - `interval_plot.rs`: a plot of intervals.
//! - `wrap.rs`: lines no wider than the terminal.

mod interval_plot;
mod output;
mod passing;
mod style;
mod table;
mod wrap;

pub(crate) use interval_plot::{Interval, Scale};
pub(crate) use output::{err, is_live, json, json_line, out, out_to_reader, redraw};
pub(crate) use passing::Passing;
pub(crate) use style::{BAD, FAINT, GOOD, ODD, STRONG, plain, styled, with_colours};
pub(crate) use table::{bar, counted, grouped, percent, signed, table};
