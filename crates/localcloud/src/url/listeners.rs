//! The ports of the URLs. A port is opened when its URL is created and closed when it is deleted; after a restart it is
//! the same port.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::task::JoinHandle;

use super::listener::UrlListener;
use super::serve::serve;
use crate::net::connections::Connections;
use crate::net::head_timeout::{HeadTimeout, Requests};
use crate::platform::listening;
use crate::sandbox::Host;
use crate::sync::lock;
use crate::world::World;

/// How many connections may wait to be accepted.
const QUEUE: i32 = 4096;

/// The listeners of all URLs.
pub(crate) struct UrlListeners {
    host: Arc<Host>,
    connections: Arc<Connections>,
    ports: Arc<Ports>,
}

/// All ports, by the URL's id.
#[derive(Default)]
struct Ports {
    open: Mutex<HashMap<String, JoinHandle<()>>>,
    /// Those that could not be opened when the cloud started.
    down: Mutex<HashMap<String, (UrlListener, u16)>>,
}

impl Ports {
    /// Takes over a change of the world: closes the ports of URLs that no longer exist.
    fn follow(&self, world: &World) {
        let functions = world.regions.values().flat_map(|region| region.functions.values());
        let ids: HashSet<&str> =
            functions.flat_map(|function| function.urls.values()).map(|url| url.id.as_str()).collect();
        lock(&self.open).retain(|id, accepting| {
            let exists = ids.contains(id.as_str());
            if !exists {
                accepting.abort();
            }
            exists
        });
        lock(&self.down).retain(|id, _| ids.contains(id.as_str()));
    }
}

impl UrlListeners {
    /// The listeners of a cloud, none of them open.
    pub(crate) fn new(host: Arc<Host>, connections: Arc<Connections>) -> Self {
        let ports = Arc::new(Ports::default());
        let following = ports.clone();
        host.store.observe(move |world| following.follow(world));
        Self { host, connections, ports }
    }

    /// Opens the ports of all existing URLs, each with its own number. A port that cannot be opened is noted in
    /// `cloud.log`.
    pub(crate) fn open_all(&self) {
        for (listener, port) in self.host.store.read(all) {
            let name = format!("{}:{}", listener.function, listener.qualifier);
            let id = listener.id.clone();
            lock(&self.ports.down).insert(id.clone(), (listener, port));
            if let Err(why) = self.reopen(&id) {
                self.host.note(&format!("the URL of {name} is down: {why}"));
            }
        }
    }

    /// Opens the port of a URL if it could not be opened when the cloud started. There is no other port to fall back
    /// to: the URL's address has been published.
    ///
    /// # Errors
    /// A message if the port still cannot be opened.
    pub(crate) fn reopen(&self, id: &str) -> Result<(), String> {
        let mut down = lock(&self.ports.down);
        let Some((listener, port)) = down.get(id).cloned() else { return Ok(()) };
        match TcpListener::bind(("127.0.0.1", port)).and_then(|socket| self.open(listener, socket)) {
            Ok(()) => {
                down.remove(id);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                Err(format!("port {port} cannot be opened: {} has taken it", listening::holder(port)))
            }
            Err(error) => Err(format!("port {port} cannot be opened: {error}")),
        }
    }

    /// Serves a URL on its port until it is deleted.
    ///
    /// # Errors
    /// If the socket cannot be used.
    pub(crate) fn open(&self, listener: UrlListener, socket: TcpListener) -> io::Result<()> {
        socket.set_nonblocking(true)?;
        // With the usual queue of 128, most of a thousand clients would be dropped and retry a second later.
        rustix::net::listen(&socket, QUEUE)?;
        let socket = tokio::net::TcpListener::from_std(socket)?;
        let id = listener.id.clone();
        let accepting = accept(self.host.clone(), self.connections.clone(), Arc::new(listener), socket);
        lock(&self.ports.open).insert(id, tokio::spawn(accepting));
        Ok(())
    }

    /// Closes every port; all of them are free when this returns.
    pub(crate) async fn close(&self) {
        let open = std::mem::take(&mut *lock(&self.ports.open));
        for accepting in open.into_values() {
            accepting.abort();
            let _ = accepting.await;
        }
    }
}

/// The listeners of all URLs, with their ports.
fn all(world: &World) -> Vec<(UrlListener, u16)> {
    let functions = world.regions.iter().flat_map(|(name, region)| region.functions.values().map(move |of| (name, of)));
    let urls = functions.flat_map(|(region, function)| {
        function.urls.iter().map(move |(qualifier, url)| {
            let (region, function, qualifier) = (region.clone(), function.name.clone(), qualifier.clone());
            (UrlListener { region, function, qualifier, id: url.id.clone() }, url.port)
        })
    });
    urls.collect()
}

async fn accept(
    host: Arc<Host>,
    connections: Arc<Connections>,
    listener: Arc<UrlListener>,
    socket: tokio::net::TcpListener,
) {
    loop {
        let Ok((stream, peer)) = socket.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (host, listener) = (host.clone(), listener.clone());
        connections.serve(async move {
            let requests = Requests::default();
            let stream = HeadTimeout::new(stream, &requests, host.options.head_timeout);
            let service = service_fn(move |request| {
                let (host, listener, pending) = (host.clone(), listener.clone(), requests.begin(&request));
                async move {
                    let answer = serve(host, listener, peer.ip(), request).await;
                    Ok::<_, std::convert::Infallible>(pending.until_sent(answer))
                }
            });
            // The connection ends with an error if the client leaves, or if an answer is cut; there is nothing to do
            // then.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
