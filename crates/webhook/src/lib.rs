#![doc = include_str!("../README.md")]

mod client;
mod event;
mod fact_view;
mod hook;
mod message;
mod retry;
mod sentence;
mod signature;
mod template;

pub use client::{Client, ReceiverAnswer};
pub use event::WebhookEvent;
pub use hook::{Hook, HookSettings, twice};
pub use message::{Format, Message};
pub use retry::wait;
pub use signature::signature;
