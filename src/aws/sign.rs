//! Signs requests to a Function URL whose auth is `aws-iam`.

use super::access::Account;
use super::clock::Clock;
use super::patience;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;

/// Signs with an account's credentials, as they were when the signer was created.
pub struct Signer {
    identity: Identity,
    region: String,
    clock: Clock,
}

impl Account {
    /// # Errors
    /// If the credentials are no longer valid, or new ones do not arrive in time.
    pub async fn signer(&self) -> Result<Signer, String> {
        let provider = self.config.credentials_provider().ok_or("no credentials to sign with")?;
        let found = tokio::time::timeout(patience::attempt(), provider.provide_credentials()).await;
        let found = found.map_err(|_| "no new credentials arrived in time")?;
        let credentials = found.map_err(|error| super::error::trouble(&error))?;
        let clock = self.clock.clone();
        Ok(Signer { identity: credentials.into(), region: self.region.clone(), clock })
    }
}

impl Signer {
    /// The headers that sign the request. Source: AWS Signature Version 4, service `lambda`.
    pub fn headers(
        &self,
        method: &http::Method,
        url: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<Vec<(String, String)>, String> {
        let parameters = v4::SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name("lambda")
            .time(self.clock.time())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?;
        let signed_headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = SignableRequest::new(method.as_str(), url, signed_headers, SignableBody::Bytes(body))
            .map_err(|error| error.to_string())?;
        let output = sign(request, &parameters.into()).map_err(|error| error.to_string())?;
        let added = output.into_parts().0.into_parts().0;
        Ok(added.into_iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect())
    }
}
