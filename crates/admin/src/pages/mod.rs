//! The pages, for people with a browser. They ask [`flagstaff_operations`] as commands and the API do, and compute nothing themselves.
//!
//! - `frame.rs`: what all pages have around them, and who looks.
//! - `flash.rs`: what a page says once after a change.
//! - `form.rs`: fields of a form, as keys of a flag.
//! - `failure.rs`: errors as pages.
//! - `assets.rs`: style, script and icon.
//! - `words.rs`, `bars.rs`, `interval_plot.rs` and `course_plot.rs`: numbers, times, shares and intervals as people read them.
//! - `traffic.rs`: how a flag is asked for; the script moves its numbers.
//! - one file a page: `start.rs`, `flags.rs`, `flag.rs`, `edit.rs`, `switch.rs`, `save.rs`, `rollouts.rs`.
//!
//! All of it works without script: a form shows what it would do, and then does it. The script shows the same parts as dialogs.

mod assets;
mod bars;
mod course_plot;
mod edit;
mod end;
mod explain;
mod facts;
mod failure;
mod flag;
mod flags;
mod flash;
mod fleet;
mod form;
mod frame;
mod guard;
mod history;
mod hygiene;
mod interval_plot;
mod listed;
mod new;
mod ramp;
mod results;
mod rollouts;
mod save;
mod simulator;
mod start;
mod switch;
mod tail;
mod traffic;
mod words;

use axum::Router;
use axum::extract::DefaultBodyLimit;

use crate::Context;

/// The largest form (bytes).
const MAX_FORM: usize = 64 * 1024;

pub(crate) fn router(context: Context) -> Router {
    Router::new()
        .merge(assets::routes())
        .merge(start::routes())
        .merge(flags::routes())
        .merge(flag::routes())
        .merge(edit::routes())
        .merge(save::routes())
        .merge(end::routes())
        .merge(new::routes())
        .merge(switch::routes())
        .merge(rollouts::routes())
        .merge(results::routes())
        .merge(simulator::routes())
        .merge(explain::routes())
        .merge(history::routes())
        .merge(fleet::routes())
        .merge(hygiene::routes())
        .merge(tail::routes())
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .with_state(context)
}
