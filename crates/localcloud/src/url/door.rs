//! The ports of the URLs: opened when one is made, closed when it is deleted, the same after a restart.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::task::JoinHandle;

use crate::cloud::{Cloud, lock};
use crate::world::World;

/// How many connections may wait to be accepted.
const QUEUE: i32 = 4096;

/// Where a URL's requests go.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) region: String,
    pub(crate) function: String,
    pub(crate) qualifier: String,
    /// The URL's id: a URL made anew on the same alias is another one.
    pub(crate) id: String,
}

/// The open ones, by the URL's id.
#[derive(Default)]
pub(crate) struct Doors(Mutex<HashMap<String, JoinHandle<()>>>);

impl Doors {
    /// Closes the ports of URLs that no longer exist.
    pub(crate) fn close_all_but(&self, world: &World) {
        let functions = world.regions.values().flat_map(|region| region.functions.values());
        let ids: HashSet<&str> =
            functions.flat_map(|function| function.urls.values()).map(|url| url.id.as_str()).collect();
        lock(&self.0).retain(|id, accepting| {
            let stays = ids.contains(id.as_str());
            if !stays {
                accepting.abort();
            }
            stays
        });
    }

    /// Closes every port; each is free when this returns.
    pub(crate) async fn close(&self) {
        let doors = std::mem::take(&mut *lock(&self.0));
        for accepting in doors.into_values() {
            accepting.abort();
            let _ = accepting.await;
        }
    }
}

/// Opens the ports of all URLs again, each on its own number.
pub(crate) fn reopen(cloud: &Arc<Cloud>) {
    let mut doors = Vec::new();
    cloud.read(|world| {
        for (region, function) in world
            .regions
            .iter()
            .flat_map(|(name, region)| region.functions.values().map(move |function| (name, function)))
        {
            for (qualifier, url) in &function.urls {
                let door = Door {
                    region: region.clone(),
                    function: function.name.clone(),
                    qualifier: qualifier.clone(),
                    id: url.id.clone(),
                };
                doors.push((door, url.port));
            }
        }
    });
    for (door, port) in doors {
        let name = format!("{}:{}", door.function, door.qualifier);
        let opened = TcpListener::bind(("127.0.0.1", port)).and_then(|listener| open(cloud, door, listener));
        if let Err(error) = opened {
            // Another port would be another address: what was published must not silently lead nowhere.
            cloud.note(&format!("the url of {name} is down: port {port} cannot be opened: {error}"));
        }
    }
}

/// Serves a URL on its port until it is deleted.
pub(crate) fn open(cloud: &Arc<Cloud>, door: Door, listener: TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    // The usual queue of 128 drops the rest of a thousand clients, who then try again a second later.
    rustix::net::listen(&listener, QUEUE)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let id = door.id.clone();
    let accepting = tokio::spawn(accept(cloud.clone(), Arc::new(door), listener));
    lock(&cloud.doors.0).insert(id, accepting);
    Ok(())
}

async fn accept(cloud: Arc<Cloud>, door: Arc<Door>, listener: tokio::net::TcpListener) {
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (ours, door) = (cloud.clone(), door.clone());
        cloud.attend(async move {
            let service = service_fn(move |request| {
                let (cloud, door) = (ours.clone(), door.clone());
                async move { Ok::<_, std::convert::Infallible>(super::serve(cloud, door, peer.ip(), request).await) }
            });
            // A client that leaves, or an answer that is cut, ends the connection with an error: that is its meaning.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
