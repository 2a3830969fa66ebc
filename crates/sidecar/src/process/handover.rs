//! Listening sockets go from one process to the next. The one that has them goes on until the next one says that it is ready.
//!
//! Sockets are sent as pingora does it, which versions before this one use: they see that the next one took them by the end of the file
//! of the upgrade socket. So it stays there until the next one is ready, too.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, UnixAddr, recvmsg, sendmsg};

/// How long the next process waits for one that has sockets.
const WAIT: Duration = Duration::from_secs(10);
/// How long one that has sockets waits for the next process: until it is there, and until it is ready.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const READY_TIMEOUT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long the sockets may take once the other process is there.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// Sockets that Linux passes on at once.
const MAX_SOCKETS: usize = 253;

/// What the next process says when it is ready.
const READY: &[u8] = b"r";

/// Sends sockets to the process that waits for them, and waits until it is ready to serve.
pub(crate) fn hand_over(path: &Path, sockets: &[(SocketAddr, TcpListener)]) -> io::Result<()> {
    let mut stream = connect(path)?;
    let addresses: Vec<_> = sockets.iter().map(|(address, _)| address.to_string()).collect();
    let descriptors: Vec<_> = sockets.iter().map(|(_, listener)| listener.as_raw_fd()).collect();
    let (text, rights) = (addresses.join(" "), [ControlMessage::ScmRights(&descriptors)]);
    sendmsg::<()>(stream.as_raw_fd(), &[IoSlice::new(text.as_bytes())], &rights, MsgFlags::MSG_NOSIGNAL, None)?;
    stream.set_read_timeout(Some(READY_TIMEOUT))?;
    match stream.read(&mut [0; 1]) {
        Ok(0) if path.exists() => Err(io::Error::other("it ended before it was ready")),
        // one of a version before this one says nothing
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(ErrorKind::TimedOut.into()),
        Err(error) => Err(error),
    }
}

/// Waits a moment for the next process: the signal may come before it listens.
fn connect(path: &Path) -> io::Result<UnixStream> {
    let start = Instant::now();
    loop {
        match UnixStream::connect(path) {
            Err(_) if start.elapsed() < CONNECT_TIMEOUT => std::thread::sleep(LOOK_EVERY),
            connected => return connected,
        }
    }
}

/// Sockets were taken. The process that had them goes on where this one ends before it is ready.
#[derive(Debug)]
pub(crate) struct Takeover {
    path: PathBuf,
    stream: UnixStream,
    /// What connects later waits, and hears the end of it.
    _listener: UnixListener,
    /// Nobody else may listen there meanwhile.
    _lock: File,
}

impl Takeover {
    /// Waits for the other process, and takes its sockets.
    pub(crate) fn take(path: &Path) -> io::Result<(Self, Vec<TcpListener>)> {
        is_socket(path)?;
        let lock = lock(path)?;
        remove_socket(path)?;
        let listener = UnixListener::bind(path)?;
        let Some(stream) = accept(&listener)? else {
            remove_socket(path)?;
            let message = format!(
                "nobody sent SIGQUIT to it within {} s; start it with the same upgrade_socket, and send it SIGQUIT while this one waits",
                WAIT.as_secs()
            );
            return Err(io::Error::new(ErrorKind::TimedOut, message));
        };
        let sockets = receive(&stream)?;
        Ok((Self { path: path.to_owned(), stream, _listener: listener, _lock: lock }, sockets))
    }

    /// This process serves from now on: the other one may drain.
    pub(crate) fn say_ready(mut self) {
        // one of a version before this one does not listen
        let _ = self.stream.write_all(READY);
        // from here on the other one drains, so nothing may end this one
        if let Err(error) = remove_socket(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "the upgrade socket cannot be removed");
        }
    }
}

/// Keeps other processes from waiting at the same path, as long as this one does. A lock ends with its process, so the file may stay.
fn lock(path: &Path) -> io::Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::options().create(true).append(true).open(name)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            ErrorKind::AddrInUse,
            "another new program is waiting there already; let it end first",
        )),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Removes a socket that an earlier process left.
fn remove_socket(path: &Path) -> io::Result<()> {
    if is_socket(path)? { fs::remove_file(path) } else { Ok(()) }
}

/// Whether a socket is there, or nothing. Whatever else is there is somebody's file.
fn is_socket(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => Ok(true),
        Ok(_) => Err(io::Error::new(
            ErrorKind::AlreadyExists,
            "what is there is no socket, and is left as it is; name another path in upgrade_socket",
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn accept(listener: &UnixListener) -> io::Result<Option<UnixStream>> {
    listener.set_nonblocking(true)?;
    let start = Instant::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => return Ok(Some(stream)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if start.elapsed() > WAIT {
            return Ok(None);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The sockets, as pingora sends them: their descriptors beside a list of addresses, which the sockets themselves know better.
fn receive(stream: &UnixStream) -> io::Result<Vec<TcpListener>> {
    stream.set_read_timeout(Some(SEND_TIMEOUT))?;
    let mut addresses = [0; 2048];
    let mut data = [IoSliceMut::new(&mut addresses)];
    let mut control = nix::cmsg_space!([i32; MAX_SOCKETS]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<UnixAddr>(stream.as_raw_fd(), &mut data, Some(&mut control), flags)?;
    let mut sockets = Vec::new();
    for part in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(descriptors) = part {
            #[allow(unsafe_code, reason = "the kernel has just made these descriptors for us; nobody else owns them")]
            let owned = |raw| unsafe { OwnedFd::from_raw_fd(raw) };
            sockets.extend(descriptors.into_iter().map(owned).map(TcpListener::from));
        }
    }
    if sockets.is_empty() || message.flags.contains(MsgFlags::MSG_CTRUNC) {
        return Err(io::Error::new(ErrorKind::InvalidData, "it did not send all of its sockets"));
    }
    Ok(sockets)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever stands where the upgrade socket should be, only a socket is removed.
    #[test]
    fn nothing_but_a_socket_is_removed() {
        let folder = std::env::temp_dir().join(format!("flagstaff-handover-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let [file, link, inner, socket] = ["file", "link", "inner", "socket"].map(|name| folder.join(name));
        fs::write(&file, "mine").unwrap();
        fs::create_dir_all(&inner).unwrap();
        drop(UnixListener::bind(&socket).unwrap());
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for kept in [&file, &link, &inner] {
            let error = Takeover::take(kept).unwrap_err().to_string();
            assert!(error.contains("no socket") && fs::symlink_metadata(kept).is_ok(), "{}: {error}", kept.display());
            assert!(!folder.join(format!("{}.lock", kept.display())).exists());
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
        let waiting = lock(&socket).unwrap();
        let error = Takeover::take(&socket).unwrap_err().to_string();
        assert!(error.contains("another new program is waiting there") && socket.exists(), "{error}");
        drop(waiting);
        lock(&socket).unwrap();
        remove_socket(&socket).unwrap();
        assert!(!socket.exists());
        remove_socket(&socket).unwrap();
        fs::remove_dir_all(folder).unwrap();
    }
}
