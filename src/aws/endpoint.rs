//! Endpoints that are not AWS's own: used when they are safe, refused when a deploy would be split between two clouds.

use crate::apply::{CloudError, Reason};
use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// The services that lamstream calls, by the ids under which the SDK looks up `AWS_ENDPOINT_URL_…`.
const SERVICES: [&str; 4] = ["Lambda", "IAM", "STS", "CloudWatch Logs"];

/// Where a service that only some deploys need is called: the same place as the others.
///
/// # Errors
/// As [`in_force`].
pub(super) fn beside(config: &SdkConfig, service: &'static str) -> Result<Option<String>, CloudError> {
    let services: Vec<&str> = SERVICES.into_iter().chain([service]).collect();
    one_for(config, &services)
}

/// The one endpoint that all services are sent to, or `None` for AWS's own.
///
/// # Errors
/// Services that would be sent to different places, or an `http://` address that is not this machine's.
pub(super) fn in_force(config: &SdkConfig) -> Result<Option<String>, CloudError> {
    one_for(config, &SERVICES)
}

fn one_for(config: &SdkConfig, services: &[&str]) -> Result<Option<String>, CloudError> {
    let endpoints: Vec<Option<String>> = services.iter().map(|service| of_service(config, service)).collect();
    one_for_all(services, &endpoints)
        .map_err(|message| CloudError::new("use the configured endpoints", Reason::Settings, message))
}

fn of_service(config: &SdkConfig, service: &str) -> Option<String> {
    let key =
        ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url").build().ok()?;
    let configured = config.service_config().and_then(|services| services.load_config(key));
    configured.or_else(|| config.endpoint_url().map(str::to_owned))
}

fn one_for_all(services: &[&str], endpoints: &[Option<String>]) -> Result<Option<String>, String> {
    let shown = |endpoint: &Option<String>| endpoint.clone().unwrap_or_else(|| "AWS itself".to_owned());
    if endpoints.iter().any(|endpoint| *endpoint != endpoints[0]) {
        let places: Vec<String> = services
            .iter()
            .zip(endpoints)
            .map(|(service, endpoint)| format!("{service} at {}", shown(endpoint)))
            .collect();
        return Err(format!("a deploy must not be split between clouds, but {}", places.join(", ")));
    }
    match &endpoints[0] {
        Some(url) if url.starts_with("http://") && !is_loopback(url) => {
            Err(format!("`{url}` would send credentials and code unencrypted to another machine"))
        }
        other => Ok(other.clone()),
    }
}

/// Whether an `http` address is this machine's own.
pub fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(url: &str) -> [Option<String>; 4] {
        std::array::from_fn(|_| Some(url.to_owned()))
    }

    #[test]
    fn loopback_may_be_http_and_elsewhere_must_be_https() {
        for url in ["http://127.0.0.1:4566", "http://localhost:4566", "http://[::1]:80", "https://vpce.example"] {
            assert_eq!(one_for_all(&SERVICES, &all(url)), Ok(Some(url.to_owned())));
        }
        for url in
            ["http://example.com", "http://10.0.0.1:4566", "http://localhost.example.com", "http://127.0.0.1.nip.io"]
        {
            assert!(one_for_all(&SERVICES, &all(url)).is_err(), "{url}");
        }
    }

    #[test]
    fn services_must_not_go_to_different_places() {
        let mut endpoints = all("http://localhost:1");
        endpoints[1] = None;
        let message = one_for_all(&SERVICES, &endpoints).expect_err("mixed");
        assert!(message.contains("IAM at AWS itself"), "{message}");
    }
}
