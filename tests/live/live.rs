//! What the checks have: the place, the URLs of the deployed functions, and the function that raw calls make.

use crate::facts::accepted;
use crate::place::{Place, Reply, Signature, reply};
use anyhow::{Context as _, Result};
use aws_sdk_lambda::primitives::Blob;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;
use zip::write::SimpleFileOptions;

/// The function and the role that no manifest names, but that raw calls make.
pub(crate) const RAW: &str = "raw";

pub(crate) struct Live<'a> {
    pub place: &'a Place,
    /// The address of each function's URL, with a slash at its end.
    pub urls: BTreeMap<String, String>,
    /// The package of the probe, as lamstream built it.
    pub package: PathBuf,
}

impl Live<'_> {
    pub(crate) fn name(&self, function: &str) -> String {
        self.place.name(function)
    }

    /// The URL of a function, with a path.
    ///
    /// # Errors
    /// If the function was not deployed.
    pub(crate) fn url(&self, function: &str, path: &str) -> Result<String> {
        let url = self.urls.get(function).with_context(|| format!("{function} has no URL"))?;
        Ok(format!("{url}{path}"))
    }

    /// # Errors
    /// If there is no response, or it breaks off.
    pub(crate) async fn get(&self, function: &str, path: &str) -> Result<Reply> {
        reply(self.place.http.get(self.url(function, path)?)).await
    }

    /// The same with a signature, for functions whose auth is `aws-iam`.
    ///
    /// # Errors
    /// If there is no response.
    pub(crate) async fn get_signed(&self, function: &str, path: &str) -> Result<Reply> {
        let url = self.url(function, path)?;
        self.place.signed(Signature::of("lambda"), "GET", &url, &[], b"").await
    }

    /// The statements of an alias or a version.
    ///
    /// # Errors
    /// If it has none.
    pub(crate) async fn statements(&self, function: &str, qualifier: &str) -> Result<Vec<Value>> {
        let name = self.name(function);
        let call = self.place.lambda.get_policy().function_name(name).qualifier(qualifier);
        let policy = accepted(call.send().await)?.policy.context("there is no policy")?;
        let policy: Value = serde_json::from_str(&policy)?;
        Ok(policy["Statement"].as_array().cloned().unwrap_or_default())
    }

    /// Invokes the raw function's `$LATEST` as its URL would, and gives the response.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) async fn invoke_raw(&self, path: &str) -> Result<Value> {
        let event = format!(r#"{{"rawPath":"{path}","requestContext":{{}}}}"#);
        let call = self.place.lambda.invoke().function_name(self.name(RAW)).payload(Blob::new(event));
        let payload = accepted(call.send().await)?.payload.context("no payload")?;
        Ok(serde_json::from_slice(payload.as_ref())?)
    }

    /// The probe with files of its own next to it: a name, the bytes or a link's target, and the mode.
    ///
    /// # Errors
    /// If the package that lamstream built cannot be read.
    pub(crate) fn repacked(&self, files: &[(&str, &str, u32)]) -> Result<Vec<u8>> {
        let mut package = zip::ZipArchive::new(std::fs::File::open(&self.package)?)?;
        let mut bootstrap = Vec::new();
        package.by_name("bootstrap")?.read_to_end(&mut bootstrap)?;
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file("bootstrap", SimpleFileOptions::default().unix_permissions(0o755))?;
        zip.write_all(&bootstrap)?;
        for (name, content, mode) in files {
            let options = SimpleFileOptions::default().unix_permissions(*mode);
            match *mode {
                LINK => zip.add_symlink(*name, *content, options)?,
                _ => {
                    zip.start_file(*name, options)?;
                    zip.write_all(content.as_bytes())?;
                }
            }
        }
        Ok(zip.finish()?.into_inner())
    }
}

/// The mode of a file that is a link.
pub(crate) const LINK: u32 = 0o777;

/// How long AWS may take to apply a change.
pub(crate) const SETTLES: Duration = Duration::from_secs(90);
