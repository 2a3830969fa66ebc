//! A flag document on the web, such as in object storage or behind a pipeline: it is read from time to time, and never changed from here.
//!
//! An [`address`] names it and its overlays; a [`client`] fetches them, and only what changed; the [`document`] is both.

mod address;
mod client;
mod document;

pub(super) use document::HttpDocument;
