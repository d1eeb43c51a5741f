//! Verifies the SigV4 signature of a request by signing the request again.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as Identity;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use http::{HeaderMap, header, request::Parts};
use subtle::ConstantTimeEq;

use crate::clock;
use crate::disk::key_pair::Credentials;
use crate::options::ACCOUNT;
use crate::store::Store;
use crate::wire::date;
use crate::wire::partition::partition;

/// How far a request's date may be from this machine's. S3 is more generous than all other services.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);
const TOLERANCE_OF_S3: Duration = Duration::from_secs(15 * 60);

/// The contents of the `Authorization` header.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Authorization {
    access_key_id: String,
    date: String,
    pub(crate) region: String,
    pub(crate) service: String,
    signed_headers: Vec<String>,
    signature: String,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignatureError {
    Missing,
    Incomplete,
    UnknownKey,
    SessionExpired,
    Expired,
    Mismatch,
}

/// Who signed a request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) access_key_id: String,
    pub(crate) arn: String,
    pub(crate) id: String,
}

impl Authorization {
    /// Verifies that the account, or one of its sessions, has just signed this request with a body of this digest (in
    /// hex), and returns which. Without a digest, everything is checked that can be checked before the body has
    /// arrived: the signature itself only if a header announces the body's digest.
    pub(crate) fn caller(&self, parts: &Parts, digest: Option<&str>, store: &Store) -> Result<Caller, SignatureError> {
        let access_key_id = self.access_key_id.clone();
        if access_key_id == store.credentials.access_key_id {
            self.check(parts, digest, &store.credentials)?;
            let arn = format!("arn:{}:iam::{ACCOUNT}:root", partition(&self.region));
            return Ok(Caller { access_key_id, arn, id: ACCOUNT.to_owned() });
        }
        let session =
            store.read(|world| world.sessions.get(&access_key_id).cloned()).ok_or(SignatureError::UnknownKey)?;
        let token = parts.headers.get("x-amz-security-token").ok_or(SignatureError::UnknownKey)?;
        if !bool::from(token.as_bytes().ct_eq(session.token.as_bytes())) {
            return Err(SignatureError::UnknownKey);
        }
        let secret_access_key = session.secret_access_key.clone();
        self.check(parts, digest, &Credentials { access_key_id: access_key_id.clone(), secret_access_key })?;
        if session.is_over(clock::now()) {
            return Err(SignatureError::SessionExpired);
        }
        Ok(Caller { access_key_id, arn: session.arn, id: session.id })
    }

    /// Parses the header; `Missing` if there is none of this kind.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, SignatureError> {
        let text = headers.get(header::AUTHORIZATION).ok_or(SignatureError::Missing)?;
        let text = text.to_str().map_err(|_| SignatureError::Incomplete)?;
        let parts = text.strip_prefix("AWS4-HMAC-SHA256").ok_or(SignatureError::Missing)?;
        let find = |name: &str| {
            parts
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
                .ok_or(SignatureError::Incomplete)
        };
        let mut credential = find("Credential")?.splitn(5, '/').map(str::to_owned);
        let mut next = || credential.next().filter(|part| !part.is_empty()).ok_or(SignatureError::Incomplete);
        let authorization = Self {
            access_key_id: next()?,
            date: next()?,
            region: next()?,
            service: next()?,
            signed_headers: find("SignedHeaders")?.split(';').map(str::to_owned).collect(),
            signature: find("Signature")?.to_owned(),
        };
        if next()? == "aws4_request" { Ok(authorization) } else { Err(SignatureError::Incomplete) }
    }

    fn check(&self, parts: &Parts, digest: Option<&str>, credentials: &Credentials) -> Result<(), SignatureError> {
        if self.access_key_id != credentials.access_key_id {
            return Err(SignatureError::UnknownKey);
        }
        let stamp =
            parts.headers.get("x-amz-date").and_then(|value| value.to_str().ok()).ok_or(SignatureError::Incomplete)?;
        let at = date::parse_signed(stamp).ok_or(SignatureError::Incomplete)?;
        // The client must have signed host and date.
        let covered = |name: &str| self.signed_headers.iter().any(|signed| signed == name);
        if !stamp.starts_with(&self.date) || !covered("host") || !covered("x-amz-date") {
            return Err(SignatureError::Mismatch);
        }
        let now = SystemTime::now();
        let away = now.duration_since(at).or_else(|_| at.duration_since(now)).unwrap_or(Duration::MAX);
        let tolerance = if self.service == "s3" { TOLERANCE_OF_S3 } else { TOLERANCE };
        if away > tolerance {
            return Err(SignatureError::Expired);
        }
        let said = parts.headers.get("x-amz-content-sha256").and_then(|said| said.to_str().ok());
        let digest = match (self.service.as_str(), said, digest) {
            // S3 signs the header with the digest, which may say that the body is not signed.
            ("s3", said, digest) => {
                let said = said.ok_or(SignatureError::Mismatch)?;
                let unsigned = said.starts_with("STREAMING-") || said == "UNSIGNED-PAYLOAD";
                if !unsigned && digest.is_some_and(|digest| digest != said) {
                    return Err(SignatureError::Mismatch);
                }
                said
            }
            (_, _, Some(digest)) => digest,
            (_, Some(said), None) if covered("x-amz-content-sha256") => said,
            (_, _, None) => return Ok(()),
        };
        let expected = self.sign_again(parts, digest, at, credentials).ok_or(SignatureError::Mismatch)?;
        let same = expected.as_bytes().ct_eq(self.signature.as_bytes());
        if bool::from(same) { Ok(()) } else { Err(SignatureError::Mismatch) }
    }

    fn sign_again(&self, parts: &Parts, digest: &str, at: SystemTime, credentials: &Credentials) -> Option<String> {
        let identity =
            Identity::new(&credentials.access_key_id, &credentials.secret_access_key, None, None, "local cloud").into();
        let mut settings = SigningSettings::default();
        // Sign exactly the headers that the client named, without the default exclusions.
        settings.excluded_headers = None;
        if self.service == "s3" {
            // S3 does not normalise paths.
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        let body = SignableBody::Precomputed(digest.to_owned());
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(at)
            .settings(settings)
            .build()
            .ok()?
            .into();
        let mut headers = Vec::new();
        for name in &self.signed_headers {
            for value in parts.headers.get_all(name.as_str()) {
                headers.push((name.as_str(), value.to_str().ok()?));
            }
        }
        let host = parts
            .headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .or_else(|| parts.uri.authority().map(|a| a.as_str()))?;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let uri = format!("http://{host}{path}");
        let request = SignableRequest::new(parts.method.as_str(), uri, headers.into_iter(), body).ok()?;
        Some(sign(request, &params).ok()?.signature().to_owned())
    }
}
