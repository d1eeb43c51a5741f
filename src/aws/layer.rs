//! Layers of any account that lets this one read them: fetched, for the local cloud to have a copy.

use super::access::Account;
use super::error::{Doing, trouble};
use crate::apply::{CloudError, Reason};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use sha2::{Digest, Sha256};

impl Account {
    /// The zip of a layer's version.
    ///
    /// # Errors
    /// When AWS does not let us read it, or what is downloaded is not what AWS says that it is.
    pub async fn layer(&self, arn: &str) -> Result<Bytes, CloudError> {
        let action = || format!("fetch layer `{arn}`");
        let found = self.lambda.get_layer_version_by_arn().arn(arn).send().await.doing(action)?;
        let content = found.content();
        let location = content.and_then(|content| content.location()).unwrap_or_default();
        let unreachable = |error: reqwest::Error| {
            // The address is signed: anyone who has it may download.
            CloudError::new(action(), Reason::Unreachable, trouble(&error.without_url()))
        };
        let answer = reqwest::get(location).await.and_then(reqwest::Response::error_for_status).map_err(unreachable)?;
        let zip = answer.bytes().await.map_err(unreachable)?;
        if content.and_then(|content| content.code_sha256()) != Some(STANDARD.encode(Sha256::digest(&zip)).as_str()) {
            return Err(CloudError::new(
                action(),
                Reason::Unreachable,
                "the download is not what Lambda says that it is",
            ));
        }
        Ok(zip)
    }
}
