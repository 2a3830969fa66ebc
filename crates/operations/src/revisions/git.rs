//! Who made the last commit of a flag file. Git is asked only to read, for a short time, and without anything that a repository could have it run.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use flagstaff_flags::FlagTexts;

/// How long git may take for one answer.
const GIT_TIMEOUT: Duration = Duration::from_millis(300);

/// How often it is asked whether it is done.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The longest answer that is read; no flag file is as large.
const LONGEST_ANSWER: u64 = 8 * 1024 * 1024;

/// The longest name of an author, in characters.
const LONGEST_NAME: usize = 100;

/// A commit of git.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its hash.
    pub hash: String,
    /// The name of its author.
    pub author: String,
}

/// The last commit of the flag file and its overlay, where these texts are what it left: both are then as in the commit that is checked out. None where git is
/// not there, does not know a file, or takes too long.
#[must_use]
pub fn last_commit(texts: &FlagTexts, definitions: &Path, overlay: Option<&Path>) -> Option<Commit> {
    let folder = definitions.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let overlay = overlay.zip(texts.overlay.as_deref());
    let files = [Some((definitions, &*texts.definitions)), overlay];
    let mut names = Vec::new();
    for (path, text) in files.into_iter().flatten() {
        let name = path.file_name()?.to_str()?;
        let committed = ask(folder, &["cat-file", "blob", &format!("HEAD:./{name}")])?;
        if committed != text.as_bytes() {
            return None;
        }
        names.push(name);
    }
    let mut log = vec!["log", "-1", "--no-show-signature", "--format=%H%n%an", "--"];
    log.extend(names);
    let answer = String::from_utf8_lossy(&ask(folder, &log)?).into_owned();
    let (hash, author) = answer.split_once('\n')?;
    let author = author.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect::<String>();
    let is_hash = hash.len() >= 40 && hash.len() <= 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| Commit { hash: hash.into(), author: author.trim().into() })
}

/// What git answers to a question; none where it answers none in time.
fn ask(folder: &Path, question: &[&str]) -> Option<Vec<u8>> {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]);
    git.args(question).env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1").env("GIT_TERMINAL_PROMPT", "0");
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"] {
        git.env_remove(variable);
    }
    let child = git.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    answer(child)
}

/// Reads on a thread of its own, because a pipe gives no answer in time; that thread ends with git.
fn answer(mut child: Child) -> Option<Vec<u8>> {
    let mut pipe = child.stdout.take()?.take(LONGEST_ANSWER);
    let reading = std::thread::Builder::new().name("git".into()).spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).map(|_| bytes)
    });
    let until = Instant::now() + GIT_TIMEOUT;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if Instant::now() < until => std::thread::sleep(LOOK_EVERY),
            _ => break None,
        }
    };
    if status.is_none() {
        // it may have ended by itself just now
        let _ = child.kill();
        let _ = child.wait();
    }
    let bytes = reading.ok()?.join().ok()?.ok()?;
    (status?.success() && (bytes.len() as u64) < LONGEST_ANSWER).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.arg("-C").arg(folder).args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]).args(arguments);
        let done = git.env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    }

    fn texts(definitions: &str, overlay: Option<&str>) -> FlagTexts {
        FlagTexts { definitions: definitions.into(), overlay: overlay.map(Into::into) }
    }

    #[test]
    fn the_last_author_is_known_while_nothing_was_edited() {
        if Command::new("git").arg("--version").output().is_err() {
            eprintln!("SKIPPED: git is not installed");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let (flags, overlay) = (folder.path().join("flags.toml"), folder.path().join("flags.test.toml"));
        let ask =
            |definitions: &str, over: Option<&str>| last_commit(&texts(definitions, over), &flags, Some(&overlay));
        std::fs::write(&flags, "[flags.a]\n").unwrap();
        assert_eq!(ask("[flags.a]\n", None), None, "no repository");
        git(folder.path(), &["init", "-q"]);
        assert_eq!(ask("[flags.a]\n", None), None, "no commit");
        git(folder.path(), &["add", "flags.toml"]);
        git(folder.path(), &["commit", "-q", "-m", "flags"]);
        let commit = ask("[flags.a]\n", None).unwrap();
        assert_eq!((commit.author.as_str(), commit.hash.len()), ("Ada", 40));
        assert_eq!(ask("[flags.b]\n", None), None, "edited since");
        assert_eq!(ask("[flags.a]\n", Some("# no flags\n")), None, "an overlay that git does not know");
        std::fs::write(&overlay, "# no flags\n").unwrap();
        git(folder.path(), &["add", "."]);
        git(folder.path(), &["commit", "-q", "--author=Grace <g@example.org>", "-m", "overlay"]);
        assert_eq!(ask("[flags.a]\n", Some("# no flags\n")).unwrap().author, "Grace");
    }
}
