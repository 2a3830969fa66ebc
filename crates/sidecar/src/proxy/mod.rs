//! Passing requests on to the app.
//!
//! [`service`] takes the request and gives the answer back. [`canary`] says whether a variant has an upstream of its own, [`exchange`]
//! sends the request and decides what may be tried again, [`upstream`] chooses among the app's addresses, [`pool`] keeps connections,
//! [`connect`] makes new ones, [`head_copy`] notes what may have to be sent again. [`tunnel`] carries what switches to another protocol.

mod canary;
mod connect;
mod early_answer;
mod exchange;
mod head_copy;
mod pool;
mod service;
mod tunnel;
mod upstream;

pub(crate) use pool::sweep;
pub use service::{Proxy, ProxyError};
