//! HTTP/2 clients, down to single frames.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// One connection with prior knowledge, driven in the background.
pub(crate) async fn connect(address: SocketAddr) -> SendRequest<Bytes> {
    over(TcpStream::connect(address).await.unwrap()).await
}

pub(crate) async fn over(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> SendRequest<Bytes> {
    let (client, connection) = h2::client::handshake(io).await.unwrap();
    tokio::spawn(connection);
    client.ready().await.unwrap()
}

/// Sends a request with a body; the answer is awaited apart.
pub(crate) fn begin(
    client: &mut SendRequest<Bytes>,
    request: Request<()>,
    end: bool,
) -> (ResponseFuture, SendStream<Bytes>) {
    client.send_request(request, end).unwrap()
}

/// A bodiless request: status and fields, body, trailers.
pub(crate) async fn ask(
    client: &mut SendRequest<Bytes>,
    request: Request<()>,
) -> (Response<()>, Vec<u8>, Option<HeaderMap>) {
    let answer = begin(client, request, true).0.await.unwrap();
    let (parts, body) = answer.into_parts();
    let (bytes, trailers) = collect(body).await.unwrap();
    (Response::from_parts(parts, ()), bytes, trailers)
}

pub(crate) async fn collect(mut body: RecvStream) -> Result<(Vec<u8>, Option<HeaderMap>), h2::Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        let _ = body.flow_control().release_capacity(piece.len());
        bytes.extend_from_slice(&piece);
    }
    Ok((bytes, body.trailers().await?))
}
