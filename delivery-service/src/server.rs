//! From the socket to the router: TLS, and limits on connections. HTTP/1.1 only: a phone has one request under way and one that
//! waits, and a proxy may speak what it likes to phones.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
    pin::pin,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    time::Duration,
};

use axum::Router;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};
use tower::Service as _;

use crate::{
    app::{App, Peer},
    arguments::Arguments,
    limits,
};

pub(crate) struct Server {
    router: Router,
    app: Arc<App>,
    tls: Option<TlsAcceptor>,
    places: Arc<Semaphore>,
    most_of_address: usize,
    of_address: Mutex<HashMap<IpAddr, usize>>,
    stopping: watch::Receiver<bool>,
}

/// A connection's place among those of its address.
struct Place<'s>(&'s Server, IpAddr);

impl Server {
    pub(crate) fn new(
        arguments: &Arguments,
        app: Arc<App>,
        router: Router,
        tls: Option<TlsAcceptor>,
        stopping: watch::Receiver<bool>,
    ) -> Arc<Self> {
        Arc::new(Self {
            router,
            app,
            tls,
            places: Arc::new(Semaphore::new(arguments.clients.min(Semaphore::MAX_PERMITS))),
            most_of_address: arguments.clients_per_address,
            of_address: Mutex::new(HashMap::new()),
            stopping,
        })
    }

    /// Answers until it is told to stop, then until what was begun is answered or the time for that is over.
    pub(crate) async fn run(self: Arc<Self>, listener: TcpListener) {
        let all = self.places.available_permits();
        let mut stopping = self.stopping.clone();
        let mut stopped = pin!(stopping.wait_for(|stopping| *stopping));
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = &mut stopped => break,
            };
            let Ok((stream, peer)) = accepted else {
                // Out of file descriptors: some are given back soon.
                sleep(Duration::from_millis(50)).await;
                continue;
            };
            // A full house is told so by a closed door: waiting for a place would let the queue of the system fill up.
            let Ok(place) = self.places.clone().try_acquire_owned() else {
                continue;
            };
            let server = self.clone();
            tokio::spawn(async move {
                server.connection(stream, peer).await;
                drop(place);
            });
        }
        let everybody = u32::try_from(all).unwrap_or(u32::MAX);
        let _ = timeout(Duration::from_secs(10), self.places.acquire_many(everybody)).await;
    }

    async fn connection(&self, stream: TcpStream, peer: SocketAddr) {
        let Some(_place) = self.take_place(peer.ip()) else {
            return;
        };
        self.app.metrics.connections.fetch_add(1, Ordering::Relaxed);
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => self.serve(stream, peer).await,
            Some(tls) => {
                if let Ok(Ok(stream)) = timeout(limits::HANDSHAKE_TIME, tls.accept(stream)).await {
                    self.serve(stream, peer).await;
                }
            }
        }
        self.app.metrics.connections.fetch_sub(1, Ordering::Relaxed);
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, peer: SocketAddr) {
        let service = service_fn(|mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer.ip()));
            self.router.clone().call(request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(limits::HEAD_TIME)
            .max_buf_size(64 << 10);
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
        let mut stopping = self.stopping.clone();
        // A client's errors are its own affair.
        tokio::select! {
            _ = &mut connection => return,
            () = sleep(limits::CONNECTION_TIME) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(limits::CONNECTION_GRACE, connection).await;
    }

    fn take_place(&self, address: IpAddr) -> Option<Place<'_>> {
        let mut of_address = self.of_address.lock().unwrap_or_else(PoisonError::into_inner);
        let count = of_address.entry(address).or_default();
        if *count >= self.most_of_address {
            return None;
        }
        *count += 1;
        Some(Place(self, address))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Self(server, address) = self;
        let mut of_address = server.of_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = of_address.get_mut(address) {
            *count -= 1;
            if *count == 0 {
                of_address.remove(address);
            }
        }
    }
}

/// TLS 1.2 and 1.3 by rustls, with ring.
pub(crate) fn tls(certificate: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let unreadable = |path: &Path| format!("{} is no PEM file of the right kind", path.display());
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|_| unreadable(certificate))?;
    let private_key = PrivateKeyDer::from_pem_file(key).map_err(|_| unreadable(key))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, private_key)
        .map_err(|error| format!("the certificate and its key cannot be used: {error}"))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    let failed = |error: io::Error| format!("{address} cannot be listened on: {error}");
    TcpListener::bind(address).await.map_err(failed)
}
