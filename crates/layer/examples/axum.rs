//! An axum service that asks its flags by name.
//!
//! ```sh
//! cargo run -p flagstaff-layer --example axum
//! curl -i http://127.0.0.1:3000/contact
//! curl http://127.0.0.1:3000/.flagstaff/flags.json
//! ```

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use flagstaff_layer::{EndpointLayer, FlagLayer, Peer, Tagger, TaggerSettings, VisitorFlags};
use flagstaff_source::{ParseOptions, Text, parse};
use tokio::net::TcpListener;

const FLAGS: &str = r#"
[flags.show_new_contact_form]
percent = 50
client = true

[flags.pricing_display]
variants = { classic = 50, simple = 50 }
percent = 40
"#;

/// Any handler of a tagged route may take the flags.
async fn contact(flags: VisitorFlags) -> &'static str {
    if flags.is_on("show_new_contact_form") { "Three fields.\n" } else { "Nine fields.\n" }
}

async fn pricing(flags: VisitorFlags) -> String {
    format!("Prices, {}.\n", flags.variant("pricing_display"))
}

/// Says who is on the other end, for cookies, consent and conditions on addresses. Behind a proxy of your own, say so: `trusted`
/// for its addresses, and `client` and `tls` as it forwards them.
async fn tell_peer(ConnectInfo(address): ConnectInfo<SocketAddr>, mut request: Request, next: Next) -> Response {
    let peer = Peer { address, client: address.ip(), trusted: false, tls: false };
    request.extensions_mut().insert(peer);
    next.run(request).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let text = Text { name: "flags", bytes: FLAGS.as_bytes() };
    let loaded = parse(text, None, &ParseOptions::default()).map_err(|report| report.summary())?;
    // Keep the publisher: code that has it can replace the flags while requests run.
    let (_publisher, reader) = flagstaff_flags::publisher(loaded.snapshot);
    let tagger = Tagger::new(&TaggerSettings::default()).map_err(|problems| format!("{problems:?}"))?;

    // The last layer sees a request first.
    let app = Router::new()
        .route("/contact", get(contact))
        .route("/pricing", get(pricing))
        .fallback(|| async { "Try /contact or /pricing.\n" })
        .layer(EndpointLayer)
        .layer(FlagLayer::new(reader, Arc::new(tagger)))
        .layer(from_fn(tell_peer));

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = TcpListener::bind(address).await?;
    println!("http://{}/contact", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
