//! Webhooks: receivers are told what happens to flags, and again until they take it.
//!
//! | file | what is in it |
//! |---|---|
//! | `sender.rs` | [`WebhookSender`] says that something happened, [`Webhooks`] are the threads that deliver it |
//! | `delivery.rs` | one receiver's deliverer: what is told, given up, tried again |
//! | `outbox.rs` | what a receiver is still to be told of, in a ledger |
//! | `memory_outbox.rs` | the same where there is no ledger |

mod delivery;
mod memory_outbox;
mod outbox;
mod sender;

pub(crate) use sender::{WebhookSender, Webhooks};
