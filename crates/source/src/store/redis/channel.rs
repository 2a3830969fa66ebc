//! A channel beside the key of the flags, for facts.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};

use redis::cmd;

use super::server::Server;
use super::subscription::Subscription;
use crate::store::document_store::{Wake, Watcher as _};
use crate::store::fact_channel::{FactChannel, OpenFactChannel};

/// The part of its name behind the key of the flags.
const FACTS: &str = "facts";

/// A channel of a server.
#[derive(Debug)]
pub(super) struct RedisFactChannel(pub(super) Server);

impl FactChannel for RedisFactChannel {
    fn open(self: Box<Self>, heard: Box<dyn Fn() + Send>) -> io::Result<OpenFactChannel> {
        let name = self.0.address.key_of(FACTS);
        let (wakes, woken) = channel();
        let mut subscription = Subscription::new(self.0.clone(), name.clone(), wakes.clone());
        subscription.renew().map_err(io::Error::other)?;
        flagstaff_supervise::thread("facts-heard", move || pass_on(&mut subscription, &woken, &*heard))?;
        let (tell, told) = sync_channel(1);
        flagstaff_supervise::thread("facts-told", move || publish(&self.0, &name, &told))?;
        Ok(OpenFactChannel { tell, _hears: Box::new(Hearing(wakes)) })
    }
}

/// It is heard while this lives.
struct Hearing(Sender<Wake>);

impl Drop for Hearing {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.0.send(Wake::Stop);
    }
}

/// Ends when it is no longer to be heard, and the subscription with it.
fn pass_on(subscription: &mut Subscription, woken: &Receiver<Wake>, heard: &dyn Fn()) {
    while woken.recv().is_ok_and(|wake| wake != Wake::Stop) {
        // what is said from now on wakes again; why the server refuses is no matter: the ledger is looked at anyway
        let _ = subscription.renew();
        heard();
    }
}

/// Ends when the channel is dropped.
fn publish(server: &Server, channel: &str, told: &Receiver<()>) {
    while told.recv().is_ok() {
        let channel = channel.to_owned();
        // one that is away hears nothing, and all look into the ledger when they are connected again
        let _ = server.ask(move |session| session.query::<i64>(cmd("PUBLISH").arg(channel).arg("")));
    }
}
