//! The access log: a line per answer, on standard output, written by a thread of its own.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use flagstaff_flags::printable_json;
use http::header::{self, HeaderName, HeaderValue};
use http::{Extensions, Method, Request, Response, StatusCode, Uri, Version};
use jiff::Timestamp;

use crate::meters::METERS;
use crate::settings::AccessLog;

/// Lines that may wait to be written; requests never wait for the log, what does not fit is dropped and counted.
const QUEUED_LINES: usize = 8192;

/// Bytes that are written together.
const BATCH_BYTES: usize = 64 << 10;

/// The visitor an answer was for, where one may be named, and the flags, from the answer's extensions.
pub(crate) type Describe = Arc<dyn Fn(&Extensions) -> Option<(Option<String>, String)> + Send + Sync>;

/// The upstream that answered, in the answer's extensions; only when the access log asks for it.
#[derive(Clone, Debug)]
pub(crate) struct ServedBy(pub(crate) Arc<str>);

/// The way to the log.
#[derive(Clone)]
pub(crate) struct AccessLogWriter {
    format: AccessLog,
    describe: Option<Describe>,
    lines: SyncSender<String>,
}

impl fmt::Debug for AccessLogWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLogWriter").field("format", &self.format).finish_non_exhaustive()
    }
}

impl AccessLogWriter {
    /// Starts the thread that writes.
    ///
    /// # Errors
    ///
    /// When the system has no thread left.
    pub(crate) fn start(format: AccessLog, describe: Option<Describe>) -> io::Result<Self> {
        let (lines, queue) = sync_channel(QUEUED_LINES);
        flagstaff_supervise::thread("access-log", move || write(&queue, io::stdout()))?;
        Ok(Self { format, describe, lines })
    }
}

/// Writes the lines that wait, some at a time. What cannot be written is dropped and counted, and the proxy goes on: its reader
/// may be gone for good, a full disk may have room again.
fn write(queue: &Receiver<String>, mut out: impl Write) {
    let mut torn = false;
    while let Ok(line) = queue.recv() {
        // what was written of a line before the disk was full must not run into the next
        let mut text = if torn { format!("\n{line}") } else { line };
        let mut lines = 1;
        while text.len() < BATCH_BYTES
            && let Ok(line) = queue.try_recv()
        {
            text.push_str(&line);
            lines += 1;
        }
        torn = out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err();
        if torn {
            METERS.access_dropped.increment(lines);
        }
    }
}

/// What is known when a request comes in. It is kept in a box: most programs write no such log, and every request would carry its room about.
#[derive(Debug)]
pub(crate) struct RequestRecord {
    access: AccessLogWriter,
    time: Timestamp,
    pub(crate) client: IpAddr,
    method: Method,
    target: Uri,
    version: Version,
    host: Option<HeaderValue>,
    referer: Option<HeaderValue>,
    agent: Option<HeaderValue>,
}

impl RequestRecord {
    pub(crate) fn new<B>(access: &AccessLogWriter, request: &Request<B>) -> Box<Self> {
        let field = |name: HeaderName| request.headers().get(name).cloned();
        Box::new(Self {
            access: access.clone(),
            time: Timestamp::now(),
            client: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            method: request.method().clone(),
            target: request.uri().clone(),
            version: request.version(),
            host: field(header::HOST),
            referer: field(header::REFERER),
            agent: field(header::USER_AGENT),
        })
    }

    pub(crate) fn answered<B>(self: Box<Self>, answer: &Response<B>, started: Instant) -> Box<AccessLine> {
        let described = self.access.describe.as_ref().and_then(|describe| describe(answer.extensions()));
        let (visitor, flags) = described.map_or((None, None), |(visitor, flags)| (visitor, Some(flags)));
        Box::new(AccessLine {
            status: answer.status(),
            upstream: answer.extensions().get::<ServedBy>().map(|served| Arc::clone(&served.0)),
            head: started.elapsed(),
            record: self,
            started,
            visitor,
            flags,
            bytes: 0,
            whole: false,
        })
    }
}

/// What is known when the answer's head has gone out; written when its body has ended.
#[derive(Debug)]
pub(crate) struct AccessLine {
    record: Box<RequestRecord>,
    status: StatusCode,
    upstream: Option<Arc<str>>,
    started: Instant,
    head: Duration,
    visitor: Option<String>,
    flags: Option<String>,
    bytes: u64,
    whole: bool,
}

impl AccessLine {
    pub(crate) fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    pub(crate) fn ended(&mut self) {
        self.whole = true;
    }

    fn text(&self) -> String {
        let r = &self.record;
        let field = |value: &Option<HeaderValue>| value.as_ref().map_or("-".into(), |v| quoted(v.as_bytes()));
        let word = |value: Option<&str>| value.map_or("-".into(), |v| quoted(v.as_bytes()));
        format!(
            "{} {} {} {} \"{} {} {:?}\" {} {} {:.6} {:.6} {} {} visitor={} flags={}\n",
            r.time,
            r.client,
            field(&r.host),
            word(self.upstream.as_deref()),
            r.method,
            quoted(r.target.to_string().as_bytes()),
            r.version,
            self.status.as_u16(),
            self.bytes,
            self.head.as_secs_f64(),
            self.started.elapsed().as_secs_f64(),
            format_args!("\"{}\"", field(&r.referer)),
            format_args!("\"{}\"", field(&r.agent)),
            word(self.visitor.as_deref()),
            word(self.flags.as_deref()),
        )
    }

    fn json(&self) -> String {
        let r = &self.record;
        let field =
            |value: &Option<HeaderValue>| value.as_ref().map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        let mut line = serde_json::json!({
            "time": r.time.to_string(),
            "client": r.client.to_string(),
            "host": field(&r.host),
            "upstream": self.upstream.as_deref(),
            "method": r.method.as_str(),
            "target": r.target.to_string(),
            "version": format!("{:?}", r.version),
            "status": self.status.as_u16(),
            "bytes": self.bytes,
            "head_seconds": self.head.as_secs_f64(),
            "seconds": self.started.elapsed().as_secs_f64(),
            "whole": self.whole,
            "referer": field(&r.referer),
            "user_agent": field(&r.agent),
            "visitor": self.visitor,
            "flags": self.flags,
        })
        .to_string();
        line.push('\n');
        match printable_json(&line) {
            Cow::Owned(visible) => visible,
            Cow::Borrowed(_) => line,
        }
    }
}

impl Drop for AccessLine {
    fn drop(&mut self) {
        let line = match self.record.access.format {
            AccessLog::Text => self.text(),
            AccessLog::Json => self.json(),
        };
        if self.record.access.lines.try_send(line).is_err() {
            METERS.access_dropped.increment(1);
        }
    }
}

/// Nothing a client sends may end a line or a quotation.
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'"' | b'\\' => text.extend(['\\', char::from(*byte)]),
            0x20..=0x7e => text.push(char::from(*byte)),
            _ => text.extend(format!("\\x{byte:02x}").chars()),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(format: AccessLog) -> String {
        line_of(format, "he said \"hi\"\u{e9}".as_bytes())
    }

    fn line_of(format: AccessLog, agent: &[u8]) -> String {
        let (lines, queue) = sync_channel(1);
        let describe: Describe = Arc::new(|_| Some((Some("v1".to_owned()), "a=on".to_owned())));
        let access = AccessLogWriter { format, describe: Some(describe), lines };
        let request = Request::get("/a?b=c").header("host", "x").header("user-agent", agent).body(()).unwrap();
        let mut answered = RequestRecord::new(&access, &request).answered(&Response::new(()), Instant::now());
        answered.sent(5);
        answered.ended();
        drop(answered);
        queue.recv().unwrap()
    }

    #[test]
    fn text_cannot_be_forged() {
        let line = line(AccessLog::Text);
        assert!(line.contains(r#""GET /a?b=c HTTP/1.1" 200 5 "#), "{line}");
        assert!(line.ends_with("\"he said \\\"hi\\\"\\xc3\\xa9\" visitor=v1 flags=a=on\n"), "{line}");
    }

    /// Fails as often as it is told to.
    struct Failing(u32, Vec<u8>);

    impl Write for Failing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 > 0 {
                self.0 -= 1;
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.1.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_cannot_be_written_does_not_end_the_log() {
        let (lines, queue) = sync_channel(8);
        let mut out = Failing(1, Vec::new());
        lines.send("a\n".repeat(BATCH_BYTES)).unwrap();
        lines.send("b\n".into()).unwrap();
        drop(lines);
        write(&queue, &mut out);
        assert_eq!(out.1, b"\nb\n");
    }

    #[test]
    fn client_input_in_the_log_is_escaped() {
        for format in [AccessLog::Text, AccessLog::Json] {
            let line = line_of(format, "m \u{9b}31m \u{202e}x\u{2028}".as_bytes());
            assert!(!line.trim_end().contains(flagstaff_flags::is_hidden), "{line}");
        }
    }

    #[test]
    fn json_is_json() {
        let line: serde_json::Value = serde_json::from_str(&line(AccessLog::Json)).unwrap();
        assert_eq!((&line["target"], &line["status"], &line["bytes"]), (&"/a?b=c".into(), &200.into(), &5.into()));
        assert_eq!((&line["visitor"], &line["whole"]), (&"v1".into(), &true.into()));
    }
}
