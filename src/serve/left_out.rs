//! How many requests were not counted, and why: in the log once an hour and at the end. A pattern of the list of bots that matches
//! people is noticed nowhere else.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use flagstaff_layer::Tagger;

/// How often it is logged.
const INTERVAL: Duration = Duration::from_secs(60 * 60);
/// The most patterns that are logged, those with most requests.
const MOST_PATTERNS: usize = 10;

/// Logs until it is dropped, and then once more.
#[derive(Debug)]
pub(crate) struct LeftOutLog {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl LeftOutLog {
    /// Starts the thread that logs.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub(crate) fn start(tagger: Arc<Tagger>) -> std::io::Result<Self> {
        let (end, ended) = channel::<()>();
        let mut told = String::new();
        let thread = flagstaff_supervise::thread("left-out", move || tell(&tagger, &ended, &mut told))?;
        Ok(Self { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for LeftOutLog {
    fn drop(&mut self) {
        drop(self.end.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn tell(tagger: &Tagger, ended: &Receiver<()>, told: &mut String) {
    loop {
        let is_over = ended.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout);
        let text = text(tagger);
        if text != *told {
            tracing::info!("not counted since the start: {text}");
            *told = text;
        }
        if is_over {
            return;
        }
    }
}

/// `bot ^curl 12, no_id 7`; empty when nothing was left out.
fn text(tagger: &Tagger) -> String {
    let all = tagger.left_out();
    let one = |one: &flagstaff_layer::LeftOut| {
        let pattern = if one.pattern.is_empty() { String::new() } else { format!(" `{}`", one.pattern) };
        format!("{}{pattern} {}", one.reason, one.requests)
    };
    let mut told: Vec<_> = all.iter().take(MOST_PATTERNS).map(one).collect();
    let rest: u64 = all.iter().skip(MOST_PATTERNS).map(|one| one.requests).sum();
    told.extend((rest > 0).then(|| format!("others {rest}")));
    told.join(", ")
}
