//! The code in a request.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::disk::unpack::unpack;
use crate::services::call::Call;
use crate::wire::error::Fault;
use crate::world::version::Code;

/// The largest zip in a request.
const LARGEST: usize = 52_428_800;

/// `Code` of CreateFunction, and the same members of UpdateFunctionCode.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Upload {
    zip_file: Option<String>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
    s3_object_version: Option<String>,
    image_uri: Option<String>,
}

impl Upload {
    /// Checks, stores and unpacks the zip.
    pub(super) fn receive(&self, call: &Call) -> Result<Code, Fault> {
        if self.image_uri.is_some() || self.s3_object_version.is_some() {
            return Err(Fault::parameter("the local cloud has neither images nor versions of objects"));
        }
        if let (Some(bucket), Some(key)) = (&self.s3_bucket, &self.s3_key) {
            return keep(call, &fetch(call, bucket, key)?);
        }
        let text =
            self.zip_file.as_deref().ok_or_else(|| Fault::parameter("Please provide a source for function code."))?;
        let zip =
            STANDARD.decode(text).map_err(|error| Fault::new(400, "SerializationException", error.to_string()))?;
        if zip.len() > LARGEST {
            return Err(Fault::new(
                413,
                "RequestEntityTooLargeException",
                "Zipped size must be smaller than 52428800 bytes",
            ));
        }
        keep(call, &zip)
    }
}

/// Stores and unpacks a zip.
pub(super) fn keep(call: &Call, zip: &[u8]) -> Result<Code, Fault> {
    if zip.is_empty() {
        return Err(Fault::parameter("Uploaded file must be a non-empty zip"));
    }
    let sum = Sha256::digest(zip);
    let digest = hex::encode(sum);
    // Before unpacking: the same code may already be there, unused, and about to be deleted.
    call.keep_code(&digest);
    unpack(call.data(), &digest, zip)?;
    Ok(Code { digest, sha256: STANDARD.encode(sum), size: zip.len() as u64 })
}

/// The zip in an object of S3. Lambda reports S3's errors in its own words.
fn fetch(call: &Call, bucket: &str, key: &str) -> Result<Vec<u8>, Fault> {
    let found = call.read(|world| {
        let bucket = world.bucket(bucket)?;
        if bucket.region != call.region {
            let (there, here) = (&bucket.region, &call.region);
            return Err(Fault::new(301, "PermanentRedirect", format!("The bucket is in this region: {there}. Please use this region to retry the request (you are in {here})")));
        }
        Ok(bucket.object(key)?.file.clone())
    });
    let file = found.map_err(|fault| {
        let (code, message) = (fault.code, fault.message);
        Fault::parameter(format!("Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}"))
    })?;
    std::fs::read(call.data().objects().join(file)).map_err(Fault::internal)
}
