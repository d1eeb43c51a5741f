//! A running cloud: the instances, the URLs, and the task that deletes unused code.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::clock::{self, Millis};
use crate::disk::files::remove_tree;
use crate::limits::api_rate::ApiRate;
use crate::net::connections::Connections;
use crate::options::Options;
use crate::sandbox::{self, Host};
use crate::sync::lock;
use crate::url::UrlListeners;
use crate::world::World;

/// Everything that runs; services and the server use it.
pub(crate) struct Cloud {
    pub(crate) host: Arc<Host>,
    pub(crate) urls: UrlListeners,
    pub(crate) rate: ApiRate,
    pub(crate) connections: Arc<Connections>,
    cleaning: Mutex<Option<JoinHandle<()>>>,
}

impl Cloud {
    /// Opens a data directory and the URLs in it; needs a tokio runtime.
    ///
    /// # Errors
    /// If the directory cannot be used, belongs to another user, or another cloud serves it.
    pub(crate) fn open(options: Options) -> anyhow::Result<Self> {
        let host = Host::open(options)?;
        delete_unused(&host);
        let connections = Arc::new(Connections::default());
        let urls = UrlListeners::new(host.clone(), connections.clone());
        let rate = ApiRate::new(&host.options);
        let cleaning = Mutex::new(Some(tokio::spawn(keep_clean(host.clone()))));
        urls.open_all();
        Ok(Self { host, urls, rate, connections, cleaning })
    }

    /// Ends everything: ports, connections, processes.
    pub(crate) async fn close(&self) {
        self.urls.close().await;
        self.connections.close().await;
        self.host.fleet.close().await;
        let cleaning = lock(&self.cleaning).take();
        if let Some(cleaning) = cleaning {
            let _ = cleaning.await;
        }
    }
}

/// Deletes unpacked code as soon as nothing uses it, until the cloud closes.
async fn keep_clean(host: Arc<Host>) {
    let mut closing = host.fleet.closing();
    loop {
        // When an update completes, the code that it replaces becomes unused, even if no request arrives then.
        let due = host.store.read(World::due);
        let due = async {
            match due {
                Some(at) => tokio::time::sleep(left_until(at)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = closing.wait_for(|closing| *closing) => return,
            () = host.store.data.uses.noticed() => {}
            () = due => {}
        }
        let host = host.clone();
        let _ = tokio::task::spawn_blocking(move || delete_unused(&host)).await;
    }
}

/// How long it is until a moment, and a little more.
fn left_until(at: Millis) -> Duration {
    Duration::from_millis(u64::try_from(at - clock::now()).unwrap_or_default() + 1)
}

/// Deletes code and layers that neither the world nor an upload or instance uses.
fn delete_unused(host: &Host) {
    let data = &host.store.data;
    let all = data.unpacked();
    let unused = host.store.read(|world| {
        let code = world.digests().map(|digest| data.code(digest));
        let layers = world.layers().filter_map(|layers| sandbox::layers_directory(host, layers));
        let wanted: HashSet<PathBuf> = code.chain(layers).collect();
        data.uses.retire(all, |path: &Path| wanted.contains(path))
    });
    let mut is_less = false;
    for path in unused {
        if let Err(error) = remove_tree(&path) {
            host.note(&format!("cannot delete `{}`, which nothing uses: {error}", path.display()));
        }
        is_less = true;
    }
    if is_less {
        data.contents.remove_unused();
    }
}
