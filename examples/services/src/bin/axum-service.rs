//! A web service with flags, a rollout and a guard inside. There is nothing in front of it.
//!
//! ```sh
//! cd examples/services
//! cargo run --bin axum-service
//! curl -i 'http://127.0.0.1:3000/search?words=tea'
//! ```

use std::error::Error;

use axum::http::{StatusCode, Uri};
use axum::{Router, routing::get};
use flagstaff_embed::{Flagstaff, VisitorFlags};
use tokio::net::TcpListener;

/// The new search has a mistake: it cannot read words with accents, which browsers encode.
async fn search(flags: VisitorFlags, uri: Uri) -> (StatusCode, &'static str) {
    let is_encoded = uri.query().is_some_and(|words| words.contains('%'));
    match flags.is_on("new_search") {
        true if is_encoded => (StatusCode::INTERNAL_SERVER_ERROR, "The new search cannot read this.\n"),
        true => (StatusCode::OK, "The new search.\n"),
        false => (StatusCode::OK, "The old search.\n"),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let flagstaff = Flagstaff::builder("flags.toml").ledger("flagstaff.db").start()?;
    let app = Router::new().route("/search", get(search)).layer(flagstaff.layer());

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let stopped = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, app).with_graceful_shutdown(stopped).await?;
    Ok(()) // what waits for the ledger is written when `flagstaff` goes
}
