//! The log: lines for people, or JSON objects for machines, on standard error.
//!
//! Nothing that writes to it ever waits or fails: lines go into a queue of limited size, and a thread of its own writes them.

mod line;
mod queue;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;

use self::line::Shape;
use self::queue::{Queue, Writing};
use crate::settings::typed::{Log, LogFormat, LogLevel};
use crate::terminal::{err, plain, with_colours};

/// How long the end of the program waits for the last lines to be written.
const LAST_LINES: Duration = Duration::from_secs(1);

static QUEUE: OnceLock<Queue> = OnceLock::new();
/// Every line is a JSON object.
static JSON: AtomicBool = AtomicBool::new(false);

/// Starts the log.
///
/// # Errors
/// When the system gives no thread.
pub(crate) fn start(log: &Log) -> std::io::Result<()> {
    let colours = log.format == LogFormat::Text && std::io::stderr().is_terminal();
    expect_json(log.format == LogFormat::Json);
    let shape = if is_json() { Shape::Json } else { Shape::Text { colours } };
    let queue = QUEUE.get_or_init(Queue::default);
    queue.start(std::io::stderr())?;
    let builder = tracing_subscriber::fmt()
        .with_max_level(level(log.level))
        .with_writer(move || Writing::new(queue, shape))
        .with_ansi(colours)
        // it would print to standard error by a macro that panics where that cannot be written
        .log_internal_errors(false)
        .with_target(false);
    let started = match log.format {
        LogFormat::Text => builder.compact().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // only a second start fails, and then the first goes on
    drop(started);
    Ok(())
}

/// Counts lines that were lost, from 0 on. Needs the recorder of the metrics.
pub(crate) fn count_losses() {
    metrics::describe_counter!(queue::DROPPED, "Lines of the log that could not be written");
    metrics::counter!(queue::DROPPED).increment(0);
}

/// Whether every line is to be a JSON object.
pub(crate) fn is_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// Says so before the log starts: the settings may be wrong elsewhere.
pub(crate) fn expect_json(json: bool) {
    JSON.store(json, Ordering::Relaxed);
}

/// Says why the program ends. `text` may have colours and may be drawn over several lines.
pub(crate) fn fatal(text: &str) {
    let text = if is_json() { object(text) } else { text.into() };
    match QUEUE.get() {
        None => err(&text),
        // a reader that sleeps must not keep the program from ending
        Some(queue) if std::io::stderr().is_terminal() => queue.add(with_colours(&text)),
        Some(queue) => queue.add(plain(&text)),
    }
}

fn object(text: &str) -> String {
    let message = plain(text);
    let line = serde_json::json!({ "timestamp": jiff::Timestamp::now().to_string(), "level": "ERROR", "message": message.trim() });
    flagstaff_flags::printable_json(&format!("{line}\n")).into_owned()
}

/// Has panics told like everything else.
pub(crate) fn tell_panics() {
    std::panic::set_hook(Box::new(|info| {
        let text = panic_text(info);
        let current = std::thread::current();
        let thread = current.name().unwrap_or("without a name");
        if QUEUE.get().is_some() {
            tracing::error!(thread, "{text}");
        } else {
            fatal(&format!("thread {thread}: {text}\n"));
        }
    }));
}

fn panic_text(info: &PanicHookInfo<'_>) -> String {
    let why = info.payload_as_str().unwrap_or("no text");
    let place = info.location().map_or_else(String::new, |place| format!(" at {place}"));
    let trace = Backtrace::capture();
    match trace.status() {
        BacktraceStatus::Captured => format!("panic{place}: {why}\n{trace}"),
        _ => format!("panic{place}: {why}"),
    }
}

/// Waits a little until the last lines are written.
pub(crate) fn finish() {
    if let Some(queue) = QUEUE.get() {
        queue.finish(LAST_LINES);
    }
}

const fn level(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}
