//! The open streams: how many, and what wakes them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use flagstaff_flags::{Reader, Snapshot};
use flagstaff_tag::Network;
use jiff::Timestamp;
use tokio::sync::watch;

use super::stream::ChangeStream;

/// The part of all streams that one network may hold.
const SHARE_OF_NETWORK: usize = 4;

/// Tells browsers when flags have changed. One for all services of a process; cheap to clone.
#[derive(Clone)]
pub struct ChangeStreams(Arc<Shared>);

struct Shared {
    reader: Reader,
    most: usize,
    open: Mutex<Open>,
    /// Seen by every stream after each change; true once all are to end.
    signal: watch::Sender<bool>,
}

/// How many streams are open.
#[derive(Default)]
struct Open {
    all: usize,
    by_network: HashMap<Network, usize>,
}

/// What flags are decided by now, for a client to say later.
pub(crate) fn state_of(flags: &Snapshot) -> String {
    format!("{:016x}", flags.state(Timestamp::now()))
}

/// One of the streams that may be open; it counts until it is dropped.
pub(crate) struct Seat {
    streams: ChangeStreams,
    network: Option<Network>,
}

impl ChangeStreams {
    /// At most so many streams at once, and a quarter of them for one network.
    #[must_use]
    pub fn new(reader: Reader, most: usize) -> Self {
        let (signal, _) = watch::channel(false);
        let changed = signal.clone();
        reader.on_change(move || changed.send_modify(|_| ()));
        Self(Arc::new(Shared { reader, most, open: Mutex::default(), signal }))
    }

    /// Ends all streams, and opens no more: clients come back to whatever serves the address next.
    pub fn close(&self) {
        self.0.signal.send_replace(true);
    }

    pub(crate) fn state(&self) -> String {
        state_of(&self.0.reader.load())
    }

    pub(crate) fn signal(&self) -> watch::Receiver<bool> {
        let mut signal = self.0.signal.subscribe();
        signal.mark_unchanged();
        signal
    }

    /// Whether there may be a stream for somebody.
    pub(crate) fn are_served(&self) -> bool {
        self.0.most > 0 && !*self.0.signal.borrow()
    }

    /// A stream for a client that has flags of a state; `None` where no more may be open.
    pub(crate) fn open(&self, network: Option<Network>, known: Option<&str>) -> Option<ChangeStream> {
        if !self.are_served() {
            return None;
        }
        let seat = self.sit(network)?;
        Some(ChangeStream::new(seat, known))
    }

    fn sit(&self, network: Option<Network>) -> Option<Seat> {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_network = network.and_then(|network| open.by_network.get(&network).copied()).unwrap_or_default();
        if open.all >= self.0.most || of_network >= self.0.most.div_ceil(SHARE_OF_NETWORK) {
            return None;
        }
        open.all += 1;
        if let Some(network) = network {
            open.by_network.insert(network, of_network + 1);
        }
        Some(Seat { streams: self.clone(), network })
    }

    fn leave(&self, network: Option<Network>) {
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        let Some(network) = network else { return };
        match open.by_network.get_mut(&network) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(open.by_network.remove(&network)),
        }
    }
}

impl Seat {
    pub(crate) const fn streams(&self) -> &ChangeStreams {
        &self.streams
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.streams.leave(self.network);
    }
}

impl fmt::Debug for ChangeStreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeStreams").field("most", &self.0.most).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::publisher;

    use super::*;

    fn network(text: &str) -> Option<Network> {
        Some(Network::of(text.parse().unwrap()))
    }

    #[test]
    fn streams_have_their_number() {
        let (_publisher, reader) = publisher(Snapshot::empty());
        let streams = ChangeStreams::new(reader, 8);
        let (near, far) = (network("192.0.2.1"), network("198.51.100.1"));
        let held = [streams.open(near, None), streams.open(network("192.0.2.99"), None)];
        assert!(held.iter().all(Option::is_some) && streams.open(near, None).is_none(), "a quarter for one network");
        let others: Vec<_> = (0..10).map(|_| streams.open(None, None)).collect();
        assert_eq!(others.iter().flatten().count(), 6);
        assert!(streams.open(far, None).is_none(), "all are taken");
        drop((held, others));
        assert!(streams.0.open.lock().unwrap().by_network.is_empty());
        assert!(streams.open(far, None).is_some());
        streams.close();
        assert!(streams.open(far, None).is_none(), "it ends");
    }
}
