//! An app that speaks HTTP/2 and answers as gRPC services do: messages, then a status in the trailers.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// The app, on a thread of its own until it is dropped.
#[derive(Debug)]
pub(crate) struct Grpc {
    pub(crate) address: SocketAddr,
    pub(crate) requests: Arc<Mutex<Vec<Request<()>>>>,
    _stop: oneshot::Sender<()>,
}

impl Grpc {
    pub(crate) fn start(tls: Option<TlsAcceptor>) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = listen(TcpListener::from_std(listener).unwrap(), tls, seen) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, requests, _stop: stop }
    }
}

async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>, seen: Arc<Mutex<Vec<Request<()>>>>) {
    loop {
        let (io, _) = listener.accept().await.unwrap();
        let (tls, seen) = (tls.clone(), Arc::clone(&seen));
        tokio::spawn(async move {
            match tls {
                None => connection(io, seen).await,
                Some(tls) => {
                    if let Ok(io) = tls.accept(io).await {
                        connection(io, seen).await;
                    }
                }
            }
        });
    }
}

async fn connection(io: impl AsyncRead + AsyncWrite + Unpin, seen: Arc<Mutex<Vec<Request<()>>>>) {
    let Ok(mut connection) = h2::server::handshake(io).await else {
        return;
    };
    while let Some(Ok((request, answer))) = connection.accept().await {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        seen.lock().unwrap().push(Request::from_parts(parts, ()));
        tokio::spawn(handle(path, body, answer));
    }
}

/// `/fail` answers with a status alone; everything else sends each piece back as it comes.
async fn handle(path: String, mut body: RecvStream, mut answer: SendResponse<Bytes>) {
    let head = Response::builder().header("content-type", "application/grpc");
    if path == "/fail" {
        let _ = answer.send_response(head.header("grpc-status", "7").body(()).unwrap(), true);
        return;
    }
    let Ok(mut sender) = answer.send_response(head.body(()).unwrap(), false) else {
        return;
    };
    while let Some(piece) = body.data().await {
        let Ok(piece) = piece else {
            return sender.send_reset(Reason::CANCEL);
        };
        let _ = body.flow_control().release_capacity(piece.len());
        let _ = sender.send_data(piece, false);
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    if let Ok(Some(sent)) = body.trailers().await {
        trailers.extend(sent);
    }
    let _ = sender.send_trailers(trailers);
}
