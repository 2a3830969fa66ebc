//! Lines on their way to where they are written. Who writes one never waits.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

use super::line::{Shape, clean};

/// The counter of lines that were lost.
pub(crate) const DROPPED: &str = "flagstaff_log_dropped_total";

/// Lines that may wait. A reader that sleeps stops nothing: what does not fit is dropped and counted.
const WAITING_LINES: usize = 4096;
/// And their bytes together.
const WAITING_BYTES: usize = 8 << 20;

enum Entry {
    Line(String),
    /// All before it is written.
    Done(Sender<()>),
}

/// The way to the thread that writes.
#[derive(Default)]
pub(crate) struct Queue {
    entries: OnceLock<SyncSender<Entry>>,
    bytes: Arc<AtomicUsize>,
}

impl Queue {
    /// Starts the thread that writes to `out`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(&self, mut out: impl Write + Send + 'static) -> io::Result<()> {
        let (send, entries) = sync_channel(WAITING_LINES);
        let bytes = Arc::clone(&self.bytes);
        flagstaff_supervise::thread("log", move || write(&entries, &mut out, &bytes))?;
        // a second start has nobody to write to its thread, which then ends
        let _ = self.entries.set(send);
        Ok(())
    }

    /// Gives a line to the thread that writes, or drops it.
    pub(crate) fn add(&self, line: String) {
        let length = line.len();
        let fits = self.bytes.fetch_add(length, SeqCst) + length <= WAITING_BYTES;
        let sent = fits && self.entries.get().is_some_and(|to| to.try_send(Entry::Line(line)).is_ok());
        if !sent {
            self.bytes.fetch_sub(length, SeqCst);
            lost(1);
        }
    }

    /// Waits until all that waits now is written, so long at most.
    pub(crate) fn finish(&self, timeout: Duration) {
        let (done, is_done) = mpsc::channel();
        let sent = self.entries.get().map(|to| to.try_send(Entry::Done(done)));
        // a queue that is full has a reader that sleeps, and is not waited for
        if let Some(Ok(()) | Err(TrySendError::Disconnected(_))) = sent {
            let _ = is_done.recv_timeout(timeout);
        }
    }
}

fn lost(lines: u64) {
    metrics::counter!(DROPPED).increment(lines);
}

/// Writes line by line. One that cannot be written is lost, and the next is tried: a full disk may have room again.
fn write(entries: &Receiver<Entry>, out: &mut impl Write, bytes: &AtomicUsize) {
    let mut torn = false;
    for entry in entries {
        match entry {
            Entry::Done(done) => drop(done.send(())),
            Entry::Line(line) => {
                bytes.fetch_sub(line.len(), SeqCst);
                // what was written of a line before the disk was full must not run into the next
                let start = if torn { "\n" } else { "" };
                torn = out.write_all(start.as_bytes()).and_then(|()| out.write_all(line.as_bytes())).is_err();
                let flushed = out.flush().is_ok();
                if torn || !flushed {
                    lost(1);
                }
            }
        }
    }
}

/// One entry of the log while it is made.
pub(crate) struct Writing {
    queue: &'static Queue,
    shape: Shape,
}

impl Writing {
    pub(crate) const fn new(queue: &'static Queue, shape: Shape) -> Self {
        Self { queue, shape }
    }
}

impl Write for Writing {
    /// An entry comes whole, in one call.
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        self.queue.add(clean(&String::from_utf8_lossy(entry), self.shape));
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// What it wrote, while it may.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(Vec<u8>, bool)>>);

    impl Disk {
        fn set_full(&self, full: bool) {
            self.0.lock().unwrap().1 = full;
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().0.clone()).unwrap()
        }
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut inside = self.0.lock().unwrap();
            if inside.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            inside.0.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A pipe whose reader sleeps.
    struct Asleep(mpsc::Receiver<()>);

    impl Write for Asleep {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const FINISH_TIMEOUT: Duration = Duration::from_secs(20);

    #[test]
    fn lines_come_again_when_the_disk_has_room() {
        let (queue, disk) = (Queue::default(), Disk::default());
        queue.start(disk.clone()).unwrap();
        for (line, full) in [("a\n", false), ("b\n", true), ("c\n", true), ("d\n", false)] {
            disk.set_full(full);
            queue.add(line.into());
            queue.finish(FINISH_TIMEOUT);
        }
        assert_eq!(disk.text(), "a\n\nd\n");
        assert_eq!(queue.bytes.load(SeqCst), 0);
    }

    #[test]
    fn a_reader_that_sleeps_holds_nobody_up() {
        let (wake, asleep) = mpsc::channel();
        let queue = Queue::default();
        queue.start(Asleep(asleep)).unwrap();
        let line = "x".repeat(WAITING_BYTES / 100);
        (0..10_000).for_each(|_| queue.add(line.clone()));
        assert!(queue.bytes.load(SeqCst) <= WAITING_BYTES);
        (0..2 * WAITING_LINES).for_each(|_| queue.add(String::from("y")));
        queue.finish(Duration::from_millis(1));
        drop(wake);
        queue.finish(FINISH_TIMEOUT);
        assert_eq!(queue.bytes.load(SeqCst), 0);
    }
}
