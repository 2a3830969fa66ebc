//! Who asks: ids, our own cookies and the keys that sign them, the person, the other end of the connection.

pub(crate) mod cookies;
pub(crate) mod id;
pub(crate) mod jwt;
pub(crate) mod keys;
pub(crate) mod network;
pub(crate) mod own_cookies;
pub(crate) mod peer;
pub(crate) mod person;
pub(crate) mod revocations;
pub(crate) mod user;
pub(crate) mod user_cookie;
pub(crate) mod visitor;

pub use keys::new_key;
pub use network::Network;
pub use peer::Peer;
