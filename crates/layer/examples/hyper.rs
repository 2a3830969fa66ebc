//! A service of hyper and tower alone.
//!
//! ```sh
//! cargo run -p flagstaff-layer --example hyper
//! curl -i http://127.0.0.1:3000/
//! ```

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use flagstaff_layer::{EndpointLayer, FlagLayer, Flags, Peer, Tagger, TaggerSettings};
use flagstaff_source::{ParseOptions, Text, parse};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, service_fn};

const FLAGS: &str = "[flags.show_new_contact_form]\npercent = 50\n";

/// The flags are in the request's extensions; the headers say the same.
async fn page(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let flags = request.extensions().get::<Flags>();
    let new = flags.is_some_and(|flags| flags.is_on("show_new_contact_form"));
    let text = if new { "Three fields.\n" } else { "Nine fields.\n" };
    Ok(Response::new(Full::new(Bytes::from_static(text.as_bytes()))))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let text = Text { name: "flags", bytes: FLAGS.as_bytes() };
    let loaded = parse(text, None, &ParseOptions::default()).map_err(|report| report.summary())?;
    let (_publisher, reader) = flagstaff_flags::publisher(loaded.snapshot);
    let tagger = Tagger::new(&TaggerSettings::default()).map_err(|problems| format!("{problems:?}"))?;
    let service = FlagLayer::new(reader, Arc::new(tagger)).layer(EndpointLayer.layer(service_fn(page)));

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    loop {
        let (stream, address) = listener.accept().await?;
        let peer = Peer { address, client: address.ip(), trusted: false, tls: false };
        let told = service.clone().map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            request
        });
        tokio::spawn(async move {
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), TowerToHyperService::new(told));
            if let Err(error) = connection.await {
                eprintln!("{error}");
            }
        });
    }
}
