//! Passing requests on to the app.
//!
//! [`service`] takes the request and gives the answer back. [`canary`] says whether a variant has an upstream of its own, [`exchange`]
//! sends the request and decides what may be tried again, [`upstream`] chooses among the app's addresses, [`pool`] keeps connections,
//! [`connect`] makes new ones.
//! [`send`] has one connection send one request: by itself where request and answer are plain ([`plain_wire`]), else by hyper, which may go on where that
//! ended ([`resumed`]). [`head_copy`] notes what may have to be sent again. [`tunnel`] carries what switches to another protocol.

mod canary;
mod connect;
mod early_answer;
mod exchange;
mod head_copy;
mod plain_wire;
mod pool;
mod resumed;
mod send;
mod service;
mod tunnel;
mod upstream;

pub(crate) use pool::sweep;
pub use service::{Proxy, ProxyError};
