//! Downloads layers for the local cloud, from any account that lets this one read them.

use super::access::Account;
use super::deployed::download;
use super::error::Doing;
use crate::apply::CloudError;
use bytes::Bytes;

impl Account {
    /// Downloads the zip of a layer version.
    ///
    /// # Errors
    /// If AWS does not let us read it, or the download does not match the digest that AWS reports.
    pub async fn layer(&self, arn: &str) -> Result<Bytes, CloudError> {
        let action = || format!("fetch layer `{arn}`");
        let found = self.lambda.get_layer_version_by_arn().arn(arn).send().await.doing(action)?;
        let content = found.content();
        let location = content.and_then(|content| content.location()).unwrap_or_default();
        let sha256 = content.and_then(|content| content.code_sha256()).unwrap_or_default();
        download(location, sha256, action).await
    }
}
