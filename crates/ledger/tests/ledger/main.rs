//! The ledger as its users see it: what is recorded through one door comes out of the other, in files and in PostgreSQL.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

mod app_tables;
mod cohorts;
mod daily;
mod desk;
mod export;
mod fact_store;
mod faults;
mod kill;
mod many;
mod news;
mod outbox;
mod packs;
mod postgres;
mod programs;
mod records;
mod replica;
mod revisions;
mod server;
mod signs;
mod steps;
