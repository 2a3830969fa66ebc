//! `flagstaff tail` beside a running program: what it prints, line by line.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use super::{WAIT_LIMIT, within};

/// The command, running.
pub(crate) struct Tailing {
    pub(crate) child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
}

impl Tailing {
    #[track_caller]
    pub(crate) fn start(folder: &Path, line: &str, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flagstaff"));
        command.current_dir(folder).arg("tail").args(line.split_whitespace()).envs(environment.iter().copied());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = lines(child.stdout.take().unwrap());
        let err = lines(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// The next line.
    #[track_caller]
    pub(crate) fn next(&self) -> String {
        self.out.recv_timeout(WAIT_LIMIT).expect("a line comes")
    }

    /// The next line, as JSON.
    #[track_caller]
    pub(crate) fn next_json(&self) -> Value {
        serde_json::from_str(&self.next()).unwrap()
    }

    /// The next line that contains this; others before it are passed over.
    #[track_caller]
    pub(crate) fn until(&self, words: &str) -> String {
        loop {
            let line = self.next();
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Lines that have come.
    pub(crate) fn so_far(&self) -> Vec<String> {
        self.out.try_iter().collect()
    }

    /// The next notice that contains this; others before it are passed over.
    #[track_caller]
    pub(crate) fn notice(&self, words: &str) -> String {
        loop {
            let line = self.err.recv_timeout(WAIT_LIMIT).unwrap_or_else(|error| panic!("{error}: no notice {words}"));
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Its end.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> ExitStatus {
        let mut status = None;
        within(WAIT_LIMIT, "the command ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Tailing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(from).lines().map_while(Result::ok);
        // ends with the command, or where the test reads no more
        let _ = lines.try_for_each(|line| sender.send(line));
    });
    receiver
}
