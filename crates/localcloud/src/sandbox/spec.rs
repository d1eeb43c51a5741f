//! Everything that an instance needs to run one version.

use std::sync::Arc;

use crate::disk::directory::Directory;
use crate::disk::uses::Use;
use crate::limits::concurrency::FunctionKey;
use crate::world::configuration::{Configuration, Layer};
use crate::world::function::Function;
use crate::world::version::{Code, Version};

/// Everything needed to run one version.
#[derive(Debug, Clone)]
pub(crate) struct InstanceSpec {
    pub(crate) function: String,
    pub(crate) region: String,
    pub(crate) number: String,
    /// With the qualifier of the request.
    pub(crate) arn: String,
    /// Instances of another build are never used.
    pub(crate) build: String,
    pub(crate) configuration: Configuration,
    pub(crate) code: Code,
    pub(crate) reserved: Option<u32>,
    /// Its code and layers, which are not deleted while this exists.
    _uses: Arc<Vec<Use>>,
}

impl InstanceSpec {
    /// What to run for a qualifier. The world that function and version are of must be locked.
    pub(crate) fn new(data: &Directory, function: &Function, version: &Version, qualifier: &str) -> Self {
        let (configuration, code, build) = version.runs();
        let layers = configuration.layers.iter().filter_map(|layer| layer.digest.as_ref());
        let uses = layers.chain([&code.digest]).map(|digest| data.uses.begin(data.code(digest)));
        Self {
            function: function.name.clone(),
            region: function.region.clone(),
            number: version.number.clone(),
            arn: function.arn(qualifier),
            build: build.to_owned(),
            configuration: configuration.clone(),
            code: code.clone(),
            reserved: function.reserved,
            _uses: Arc::new(uses.collect()),
        }
    }

    /// The function's key in the counts of running requests.
    pub(super) fn key(&self) -> FunctionKey {
        (self.region.clone(), self.function.clone())
    }

    /// Whether the platform's lines in the log are JSON.
    pub(super) fn logs_json(&self) -> bool {
        self.configuration.logging.log_format == "JSON"
    }

    /// Whether the platform's lines have the level of debugging.
    pub(super) fn logs_everything(&self) -> bool {
        self.configuration.logging.system_log_level.as_deref() == Some("DEBUG")
    }

    /// Whether it is a web app behind Lambda Web Adapter.
    pub(super) fn is_web_app(&self) -> bool {
        self.configuration.layers.iter().any(Layer::is_adapter)
    }
}
