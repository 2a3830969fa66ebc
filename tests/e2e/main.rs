//! The built program, seen from outside: real sockets, real files, real signals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod guards;
mod harness;

mod answers;
mod apps_headers;
mod apps_streams;
mod apps_waffle;
mod commands;
mod demo_traffic;
mod end;
mod experiment_commands;
mod experiment_faults;
mod experiment_flow;
mod experiment_forget;
mod experiment_notebook;
mod experiment_stores;
mod flags_demo;
mod flags_headers;
mod flags_identity;
mod flags_spoofing;
mod holdout;
mod identity_issue;
mod identity_people;
mod messages;
mod parity;
mod process;
mod reload;
mod rings;
mod rollouts;
mod settings;
mod switching;
mod webhooks;
mod wire_app;
mod wire_basics;
mod wire_big;
mod wire_canary;
mod wire_framing;
mod wire_http2;
mod wire_limits;
mod wire_many;
mod wire_slow;
mod wire_stop;
mod wire_tls;
mod wire_trailers;
mod wire_upstreams;
