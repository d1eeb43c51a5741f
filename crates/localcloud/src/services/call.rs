//! One request to a service, and what its handler may use.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::cloud::Cloud;
use crate::disk::directory::Directory;
use crate::disk::log_store::LogStore;
use crate::disk::uses::Use;
use crate::options::Options;
use crate::signature::Caller;
use crate::sync::lock;
use crate::wire::error::Fault;
use crate::world::World;

/// One authenticated request.
pub(crate) struct Call {
    pub(crate) cloud: Arc<Cloud>,
    /// The service's name, as in the signature.
    pub(crate) service: &'static str,
    pub(crate) parts: http::request::Parts,
    pub(crate) body: Bytes,
    pub(crate) caller: Caller,
    pub(crate) region: String,
    pub(crate) request_id: String,
    /// What must not be deleted until this request is answered.
    uses: Mutex<Vec<Use>>,
}

impl Call {
    pub(crate) fn new(
        cloud: Arc<Cloud>,
        service: &'static str,
        (parts, body): (http::request::Parts, Bytes),
        caller: Caller,
        region: String,
        request_id: String,
    ) -> Self {
        Self { cloud, service, parts, body, caller, region, request_id, uses: Mutex::default() }
    }

    pub(crate) fn options(&self) -> &Options {
        &self.cloud.host.options
    }

    pub(crate) fn data(&self) -> &Directory {
        &self.cloud.host.store.data
    }

    pub(crate) fn logs(&self) -> &LogStore {
        &self.cloud.host.store.logs
    }

    /// Reads the world as it is now.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        self.cloud.host.store.read(look)
    }

    /// Changes the world and writes it to disk; see [`Store::change`](crate::store::Store::change).
    ///
    /// # Errors
    /// Those of the change, and of the disk.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut World) -> Result<T, Fault>) -> Result<T, Fault> {
        self.cloud.host.store.change(change)
    }

    /// Keeps unpacked code until this request is answered.
    pub(crate) fn keep_code(&self, digest: &str) {
        let begun = self.data().uses.begin(self.data().code(digest));
        lock(&self.uses).push(begun);
    }

    /// The first value of a query parameter.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        self.query_all(name).into_iter().next()
    }

    /// All values of a query parameter.
    pub(crate) fn query_all(&self, name: &str) -> Vec<String> {
        query(&self.parts.uri, name)
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// The JSON body in the shape that an operation takes.
    ///
    /// # Errors
    /// AWS's own if it is not JSON, or has another shape.
    pub(crate) fn input<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| Fault::new(400, "SerializationException", error.to_string()))
    }

    /// The error, with the code of the service's protocol, for an operation that this cloud does not support.
    pub(crate) fn unknown(&self, code: &str, operation: &str) -> Fault {
        let service = self.service;
        Fault::new(400, code, format!("the local cloud does not have the operation `{service}:{operation}`"))
    }
}

/// All values of a query parameter.
pub(crate) fn query(uri: &http::Uri, name: &str) -> Vec<String> {
    let query = uri.query().unwrap_or_default();
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    pairs.map(|(_, value)| value.into_owned()).collect()
}
