//! The log: lines for people, or JSON objects for machines, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::filter::LevelFilter;

use crate::settings::typed::{Log, LogFormat, LogLevel};

/// Starts the log.
pub(crate) fn start(log: &Log) {
    let builder = tracing_subscriber::fmt()
        .with_max_level(level(log.level))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    match log.format {
        LogFormat::Text => builder.compact().init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
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
