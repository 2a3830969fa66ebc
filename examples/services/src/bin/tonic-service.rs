//! A service of gRPC with flags, a rollout and a guard inside. Its callers name the person in the metadata `x-user-id`.
//!
//! ```sh
//! cd examples/services
//! cargo run --bin tonic-service
//! ```

use std::error::Error;

use flagstaff_embed::{Flags, Flagstaff, Peer, TaggerSettings};
use flagstaff_services::shop::search_server::{Search, SearchServer};
use flagstaff_services::shop::{Found, Question};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codegen::http::Request as HttpRequest;
use tonic::transport::Server;
use tonic::transport::server::TcpConnectInfo;
use tonic::{Request, Response, Status, async_trait};
use tower::util::MapRequestLayer;

struct Shop;

#[async_trait]
impl Search for Shop {
    /// The new search has a mistake: it cannot read words with accents.
    async fn find(&self, request: Request<Question>) -> Result<Response<Found>, Status> {
        let is_new = request.extensions().get::<Flags>().is_some_and(|flags| flags.is_on("new_search"));
        if is_new && !request.get_ref().words.is_ascii() {
            return Err(Status::internal("the new search cannot read this"));
        }
        Ok(Response::new(Found { by: if is_new { "new" } else { "old" }.into() }))
    }
}

/// Says who is on the other end. Here all callers are services of our own, so what they say of the person is taken for true.
fn tell_peer(mut request: HttpRequest<Body>) -> HttpRequest<Body> {
    let address = request.extensions().get::<TcpConnectInfo>().and_then(TcpConnectInfo::remote_addr);
    if let Some(address) = address {
        request.extensions_mut().insert(Peer { address, client: address.ip(), trusted: true, tls: false });
    }
    request
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut settings = TaggerSettings::default();
    settings.user.header = Some("X-User-Id".into());
    let flagstaff = Flagstaff::builder("flags.toml").ledger("flagstaff.db").settings(settings).start()?;

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:50051".into());
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let stopped = async { drop(tokio::signal::ctrl_c().await) };
    // The first layer sees a request first.
    Server::builder()
        .layer(MapRequestLayer::new(tell_peer))
        .layer(flagstaff.bare_layer())
        .add_service(SearchServer::new(Shop))
        .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stopped)
        .await?;
    Ok(())
}
