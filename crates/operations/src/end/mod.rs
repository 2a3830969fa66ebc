//! The end of an experiment, and the code that still asks for its flag.
//!
//! In two steps, because code that asks for a flag which is gone takes it for off. First everybody gets the winner and the flag is
//! archived with its results; then, once no code asks for it any more, it is taken out.
//!
//! - `ending.rs`: an end's way: judge it, archive the flag, give everybody the winner or take the flag out.
//! - `case.rs`: the flag that is to be ended, and what may speak against it.
//! - `answer.rs`: what is answered.

mod answer;
mod case;
mod ending;

pub use answer::{Ended, Gone, Passed, Results};
pub use case::End;
pub use ending::{EndAnswer, end};
