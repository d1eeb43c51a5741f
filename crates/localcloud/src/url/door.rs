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
use crate::connection::{Punctual, Requests};
use crate::peer;
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

/// All of them, by the URL's id.
#[derive(Default)]
pub(crate) struct Doors {
    open: Mutex<HashMap<String, JoinHandle<()>>>,
    /// Those whose ports could not be opened when the cloud began.
    down: Mutex<HashMap<String, (Door, u16)>>,
}

impl Doors {
    /// Closes the ports of URLs that no longer exist.
    pub(crate) fn close_all_but(&self, world: &World) {
        let functions = world.regions.values().flat_map(|region| region.functions.values());
        let ids: HashSet<&str> =
            functions.flat_map(|function| function.urls.values()).map(|url| url.id.as_str()).collect();
        lock(&self.open).retain(|id, accepting| {
            let stays = ids.contains(id.as_str());
            if !stays {
                accepting.abort();
            }
            stays
        });
        lock(&self.down).retain(|id, _| ids.contains(id.as_str()));
    }

    /// Closes every port; each is free when this returns.
    pub(crate) async fn close(&self) {
        let doors = std::mem::take(&mut *lock(&self.open));
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
        lock(&cloud.doors.down).insert(door.id.clone(), (door.clone(), port));
        if let Err(why) = reopen_one(cloud, &door.id) {
            cloud.note(&format!("the url of {name} is down: {why}"));
        }
    }
}

/// Opens the port of a URL, where that could not be done when the cloud began. Another port would be another address: what
/// was published must not silently lead nowhere.
///
/// # Errors
/// When the port still cannot be had, in words.
pub(crate) fn reopen_one(cloud: &Arc<Cloud>, id: &str) -> Result<(), String> {
    let mut down = lock(&cloud.doors.down);
    let Some((door, port)) = down.get(id).cloned() else { return Ok(()) };
    match TcpListener::bind(("127.0.0.1", port)).and_then(|listener| open(cloud, door, listener)) {
        Ok(()) => {
            down.remove(id);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            Err(format!("port {port} cannot be opened: {} has taken it", peer::listener(port)))
        }
        Err(error) => Err(format!("port {port} cannot be opened: {error}")),
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
    lock(&cloud.doors.open).insert(id, accepting);
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
            let requests = Requests::default();
            let stream = Punctual::new(stream, &requests, ours.options.head_timeout);
            let service = service_fn(move |request| {
                let (cloud, door, open) = (ours.clone(), door.clone(), requests.begin(&request));
                async move {
                    let answer = super::serve(cloud, door, peer.ip(), request).await;
                    Ok::<_, std::convert::Infallible>(open.until_sent(answer))
                }
            });
            // A client that leaves, or an answer that is cut, ends the connection with an error: that is its meaning.
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
