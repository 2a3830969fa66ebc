//! An app to put behind the proxy: a thread per connection, and what each test wants it to do.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use super::raw::fields;

/// What a connection does after an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Keep,
    Close,
}

/// One request as the app sees it, and the way to answer.
pub(crate) struct Exchange<'a> {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) head: String,
    /// How many requests came on this connection before.
    pub(crate) before: usize,
    reader: &'a mut BufReader<TcpStream>,
}

impl Exchange<'_> {
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        fields(&self.head).filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.to_owned()).collect()
    }

    pub(crate) fn field(&self, name: &str) -> Option<String> {
        self.all(name).pop()
    }

    /// Reads the body piece by piece; says whether it came whole.
    pub(crate) fn body_pieces(&mut self, mut each: impl FnMut(&[u8])) -> bool {
        if self.field("transfer-encoding").is_some() {
            return self.chunks(&mut each);
        }
        let length = self.field("content-length").map_or(0, |n| n.parse().unwrap());
        self.sized(length, &mut each)
    }

    fn sized(&mut self, mut left: usize, each: &mut impl FnMut(&[u8])) -> bool {
        let mut piece = vec![0; 64 << 10];
        while left > 0 {
            let want = left.min(piece.len());
            match self.reader.read(&mut piece[..want]) {
                Ok(0) | Err(_) => return false,
                Ok(count) => {
                    each(&piece[..count]);
                    left -= count;
                }
            }
        }
        true
    }

    fn chunks(&mut self, each: &mut impl FnMut(&[u8])) -> bool {
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).unwrap_or(0) == 0 {
                return false;
            }
            let size = usize::from_str_radix(line.trim().split(';').next().unwrap(), 16).unwrap();
            if size == 0 {
                // Trailers end with an empty line.
                while self.reader.read_line(&mut line).unwrap_or(0) > 2 {}
                return true;
            }
            if !self.sized(size, each) || !self.sized(2, &mut |_| ()) {
                return false;
            }
        }
    }

    pub(crate) fn body(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        self.body_pieces(|piece| body.extend_from_slice(piece));
        body
    }

    /// Writes bytes as they are.
    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.reader.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    /// A whole answer; `fields` are lines with their ends.
    pub(crate) fn answer(&mut self, status: u16, fields: &str, body: impl AsRef<[u8]>) -> Then {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n{fields}\r\n", body.len());
        if self.write([head.as_bytes(), body].concat()) { Then::Keep } else { Then::Close }
    }

    /// Waits until the other side closes.
    pub(crate) fn wait_for_end(&mut self) {
        let mut piece = [0; 1024];
        while self.reader.read(&mut piece).is_ok_and(|count| count > 0) {}
    }

    /// The next bytes of an upgraded connection.
    pub(crate) fn read_some(&mut self) -> Vec<u8> {
        let mut piece = vec![0; 4096];
        let count = self.reader.read(&mut piece).unwrap_or(0);
        piece.truncate(count);
        piece
    }
}

/// The app, listening.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<std::thread::JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    gone: AtomicBool,
    /// An assertion did not hold while a request was handled.
    failed: AtomicBool,
    connections: AtomicUsize,
    open: AtomicUsize,
    heads: Mutex<Vec<String>>,
    streams: Mutex<Vec<TcpStream>>,
}

impl App {
    pub(crate) fn start(handle: impl Fn(&mut Exchange<'_>) -> Then + Send + Sync + 'static) -> Self {
        Self::start_at((std::net::Ipv4Addr::LOCALHOST, 0).into(), handle)
    }

    pub(crate) fn start_at(
        address: SocketAddr,
        handle: impl Fn(&mut Exchange<'_>) -> Then + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let (seen, handle) = (Arc::clone(&shared), Arc::new(handle));
        let listening = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if seen.gone.load(SeqCst) {
                    return;
                }
                seen.connections.fetch_add(1, SeqCst);
                seen.open.fetch_add(1, SeqCst);
                seen.streams.lock().unwrap().push(stream.try_clone().unwrap());
                let (seen, handle) = (Arc::clone(&seen), Arc::clone(&handle));
                std::thread::spawn(move || {
                    let served = catch_unwind(AssertUnwindSafe(|| serve(stream, &seen, &*handle)));
                    seen.failed.fetch_or(served.is_err(), SeqCst);
                    seen.open.fetch_sub(1, SeqCst);
                });
            }
        });
        Self { address, shared, listening: Some(listening) }
    }

    /// Answers every request with this text.
    pub(crate) fn says(text: &'static str) -> Self {
        Self::start(move |exchange| {
            exchange.body();
            exchange.answer(200, "", text)
        })
    }

    /// Answers every request with its own head.
    pub(crate) fn mirror() -> Self {
        Self::start(|exchange| {
            exchange.body();
            let head = exchange.head.clone();
            exchange.answer(200, "", head)
        })
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(SeqCst)
    }

    /// Connections open now.
    pub(crate) fn open(&self) -> usize {
        self.shared.open.load(SeqCst)
    }

    /// The heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.shared.heads.lock().unwrap().clone()
    }
}

impl Drop for App {
    /// Listens no longer, and closes what is open.
    fn drop(&mut self) {
        self.shared.gone.store(true, SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.listening.take().map(std::thread::JoinHandle::join);
        for stream in self.shared.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        let failed = self.shared.failed.load(SeqCst);
        assert!(!failed || std::thread::panicking(), "an assertion failed in the app; see above");
    }
}

fn serve(stream: TcpStream, shared: &Shared, handle: &dyn Fn(&mut Exchange<'_>) -> Then) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::with_capacity(64 << 10, stream);
    for before in 0.. {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if !matches!(reader.read_line(&mut head), Ok(1..)) {
                return;
            }
        }
        shared.heads.lock().unwrap().push(head.clone());
        let mut words = head.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let mut exchange = Exchange { method, target, head, before, reader: &mut reader };
        if handle(&mut exchange) == Then::Close {
            let _ = reader.get_ref().shutdown(Shutdown::Both);
            return;
        }
    }
}
