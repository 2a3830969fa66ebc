//! A client that sends what it is told, byte by byte if need be.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::WAIT_LIMIT;

/// One connection.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Its body ended as its head said.
    pub(crate) whole: bool,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The values of a field.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        fields(&self.head).filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.to_owned()).collect()
    }

    pub(crate) fn field(&self, name: &str) -> Option<String> {
        self.all(name).pop()
    }
}

/// The fields of a head.
pub(crate) fn fields(head: &str) -> impl Iterator<Item = (&str, &str)> {
    head.split("\r\n").skip(1).filter_map(|line| line.split_once(':')).map(|(n, v)| (n, v.trim()))
}

impl Raw {
    #[track_caller]
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).unwrap())
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(WAIT_LIMIT)).unwrap();
        stream.set_write_timeout(Some(WAIT_LIMIT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::new() }
    }

    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends what can be sent: the other side may refuse in the middle.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).is_ok()
    }

    /// More bytes in the buffer, or the end.
    #[track_caller]
    fn more(&mut self) -> bool {
        let mut piece = [0; 16384];
        match self.stream.read(&mut piece) {
            Ok(0) => false,
            Ok(count) => {
                self.buffer.extend_from_slice(&piece[..count]);
                true
            }
            Err(e) if e.kind() == ErrorKind::ConnectionReset => false,
            Err(e) => panic!("nothing to read: {e}; so far {:?}", String::from_utf8_lossy(&self.buffer)),
        }
    }

    /// Reads until these bytes have come, and takes them and what was before.
    #[track_caller]
    pub(crate) fn until(&mut self, end: &[u8]) -> Vec<u8> {
        loop {
            if let Some(at) = self.buffer.windows(end.len()).position(|w| w == end) {
                return self.buffer.drain(..at + end.len()).collect();
            }
            assert!(self.more(), "ended before {end:?}: {:?}", String::from_utf8_lossy(&self.buffer));
        }
    }

    #[track_caller]
    pub(crate) fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.buffer.len() < count {
            assert!(self.more(), "ended early");
        }
        self.buffer.drain(..count).collect()
    }

    /// So many bytes, or nothing when the other side has closed before.
    #[track_caller]
    pub(crate) fn up_to(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < count {
            if !self.more() {
                return None;
            }
        }
        Some(self.buffer.drain(..count).collect())
    }

    /// Everything until the other side closes.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.more() {}
        std::mem::take(&mut self.buffer)
    }

    /// The other side closes without another byte.
    #[track_caller]
    pub(crate) fn is_closed(&mut self) -> bool {
        self.rest().is_empty()
    }

    /// The next head.
    #[track_caller]
    pub(crate) fn head(&mut self) -> String {
        String::from_utf8(self.until(b"\r\n\r\n")).unwrap()
    }

    /// The next answer that is not interim, to a request other than HEAD.
    #[track_caller]
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.answer_head();
        let length = answer.field("content-length").map(|n| n.parse::<usize>().unwrap());
        let bodiless = matches!(answer.status, 101 | 204 | 304);
        if answer.field("transfer-encoding").is_some() {
            (answer.body, answer.whole) = self.chunks();
        } else if let Some(length) = length.filter(|_| !bodiless) {
            while self.buffer.len() < length && self.more() {}
            answer.whole = self.buffer.len() >= length;
            answer.body = self.buffer.drain(..length.min(self.buffer.len())).collect();
        } else if !bodiless {
            answer.body = self.rest();
        }
        answer
    }

    #[track_caller]
    pub(crate) fn answer_head(&mut self) -> Answer {
        loop {
            let head = self.head();
            let status: u16 = head[9..12].parse().unwrap();
            if status >= 200 || status == 101 {
                return Answer { status, head, body: Vec::new(), whole: true };
            }
        }
    }

    #[track_caller]
    fn chunks(&mut self) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        loop {
            while !self.buffer.windows(2).any(|w| w == b"\r\n") {
                if !self.more() {
                    return (body, false);
                }
            }
            let line = String::from_utf8(self.until(b"\r\n")).unwrap();
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            if size == 0 {
                // Trailers, mostly none.
                let mut trailers = String::new();
                while !trailers.ends_with("\r\n\r\n") && trailers != "\r\n" {
                    trailers += &String::from_utf8(self.until(b"\r\n")).unwrap();
                }
                return (body, true);
            }
            while self.buffer.len() < size + 2 {
                if !self.more() {
                    return (body, false);
                }
            }
            body.extend(self.buffer.drain(..size));
            self.buffer.drain(..2);
        }
    }
}
