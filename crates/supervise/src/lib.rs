#![doc = include_str!("../README.md")]

mod life;
mod pause;

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::Instant;

use life::Life;
pub use life::ailing;
use pause::Pauses;

/// The counter of restarts, by thread.
pub const RESTARTS: &str = "flagstaff_thread_restarts_total";

/// How far a background thread is behind others: from 0, as all are, to 19.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Starts a thread. When its body ends with a panic, the body is called again after a pause of 100 ms to 5 s; when it returns, the
/// thread ends. What the body keeps from one call to the next it owns, so it must be sound after a panic anywhere in it.
///
/// # Errors
/// When the system gives no thread.
pub fn thread(name: &str, mut body: impl FnMut() + Send + 'static) -> io::Result<JoinHandle<()>> {
    let life = Life::begin(name);
    std::thread::Builder::new().name(name.into()).spawn(move || {
        let mut pauses = Pauses::default();
        loop {
            let began = Instant::now();
            if catch_unwind(AssertUnwindSafe(&mut body)).is_ok() {
                return;
            }
            let pause = pauses.after(began.elapsed());
            life.fails(pause);
            std::thread::sleep(pause);
            life.goes_on();
        }
    })
}

/// The same for work that may wait, such as to read a large file: on Linux the thread, and those that it starts, are behind all others for a
/// processor ("nice" 10). Where every processor is busy it still gets a tenth of what another thread gets.
///
/// # Errors
/// When the system gives no thread.
pub fn background_thread(name: &str, mut body: impl FnMut() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread(name, move || {
        step_back();
        body();
    })
}

/// Linux gives each thread a niceness of its own, elsewhere the whole process has one.
fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "this thread is not behind others");
    }
}

/// Runs a task on tokio's runtime until it returns. When it ends with a panic, another is made after a pause of 100 ms to 5 s.
pub async fn task<F>(name: &str, mut make: impl FnMut() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let life = Life::begin(name);
    let mut pauses = Pauses::default();
    loop {
        let began = tokio::time::Instant::now();
        let ended = Running(tokio::spawn(make())).await;
        if !ended.is_err_and(|error| error.is_panic()) {
            return;
        }
        let pause = pauses.after(began.elapsed());
        life.fails(pause);
        tokio::time::sleep(pause).await;
        life.goes_on();
    }
}

/// A task that is aborted when the one that waits for it is dropped.
struct Running(tokio::task::JoinHandle<()>);

impl Future for Running {
    type Output = Result<(), tokio::task::JoinError>;

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(cx)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
#[allow(clippy::panic, reason = "this is what is tested")]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    fn names(name: &str) -> bool {
        ailing().iter().any(|ailing| ailing == name)
    }

    #[test]
    fn a_thread_goes_on_after_a_panic_and_keeps_what_it_knows() {
        let (told, heard) = std::sync::mpsc::channel();
        let mut known = Vec::new();
        let thread = thread("flags", move || {
            known.push(known.len());
            let _ = told.send((known.clone(), names("flags")));
            assert!(known.len() > 2, "it falls");
        });
        assert!(thread.is_ok_and(|thread| thread.join().is_ok()));
        let heard: Vec<_> = heard.iter().collect();
        assert_eq!(heard, [(vec![0], false), (vec![0, 1], false), (vec![0, 1, 2], false)]);
        assert!(!names("flags"));
    }

    #[test]
    fn a_failed_thread_is_reported_until_it_runs_again() {
        let (go, goes) = std::sync::mpsc::channel::<bool>();
        let thread = thread("shown", move || assert!(goes.recv() != Ok(true), "it falls"));
        let _ = go.send(true);
        let long = Instant::now();
        while !names("shown") && long.elapsed().as_secs() < 30 {
            std::thread::yield_now();
        }
        assert!(names("shown"));
        let _ = go.send(false);
        assert!(thread.is_ok_and(|thread| thread.join().is_ok()));
        assert!(!names("shown"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_background_thread_and_those_it_starts_are_behind_others() {
        // field 19 of the file, the 17th after the name (proc_pid_stat(5))
        let niceness = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap_or_default();
            let niceness = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(16));
            niceness.and_then(|niceness| niceness.parse::<i32>().ok())
        };
        let before = niceness();
        let (told, heard) = std::sync::mpsc::channel();
        let thread = background_thread("behind", move || {
            let child = std::thread::spawn(niceness);
            let _ = told.send([niceness(), child.join().ok().flatten()]);
        });
        assert!(thread.is_ok_and(|thread| thread.join().is_ok()));
        assert_eq!(heard.recv().ok(), Some([Some(NICENESS); 2]));
        assert_eq!(niceness(), before, "all others stay as they are");
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_is_made_anew_after_a_panic() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let work = task("task", move || {
            let number = counted.fetch_add(1, SeqCst);
            async move { assert!(number > 3, "it falls") }
        });
        work.await;
        assert_eq!(calls.load(SeqCst), 5);
        assert!(!names("task"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_ends_with_the_one_that_waits_for_it() {
        let held = Arc::new(());
        let inside = Arc::clone(&held);
        let endless = task("endless", move || {
            let inside = Arc::clone(&inside);
            async move {
                std::future::pending::<()>().await;
                drop(inside);
            }
        });
        let waited = tokio::time::timeout(std::time::Duration::from_secs(1), endless).await;
        tokio::task::yield_now().await;
        assert!(waited.is_err());
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
