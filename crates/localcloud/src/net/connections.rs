//! The open connections of a cloud.

use std::future::Future;
use std::sync::Mutex;

use tokio::task::JoinSet;

use crate::sync::lock;

/// Tasks that each serve one connection; all of them end with the cloud.
#[derive(Default)]
pub(crate) struct Connections(Mutex<JoinSet<()>>);

impl Connections {
    /// Serves a connection for as long as the cloud lives.
    pub(crate) fn serve(&self, connection: impl Future<Output = ()> + Send + 'static) {
        let mut connections = lock(&self.0);
        while connections.try_join_next().is_some() {}
        connections.spawn(connection);
    }

    /// Ends all connections.
    pub(crate) async fn close(&self) {
        let mut connections = std::mem::take(&mut *lock(&self.0));
        connections.shutdown().await;
    }
}
