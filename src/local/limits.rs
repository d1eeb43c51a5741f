//! The limits and delays on a command line, as options of the local cloud, and back.

use crate::cli::{Bodyless, Limits, UrlRegions};
use clap::ValueEnum;
use localcloud::Options;
use std::path::Path;
use std::time::Duration;

impl Limits {
    /// The options of the local cloud; its own limits and delays, or AWS's, for those that are not set.
    pub(super) fn options(&self, data: &Path) -> Options {
        let usual = if self.like_aws { Options::like_aws(data) } else { Options::new(data) };
        Options {
            role_propagation: self.role_propagation.unwrap_or(usual.role_propagation),
            pending: self.pending.unwrap_or(usual.pending),
            update: self.update.unwrap_or(usual.update),
            snapshot: self.snapshot.unwrap_or(usual.snapshot),
            visibility_lag: self.visibility_lag.unwrap_or(usual.visibility_lag),
            conflict_lag: self.conflict_lag.unwrap_or(usual.conflict_lag),
            bucket_name_lag: self.bucket_name_lag.unwrap_or(usual.bucket_name_lag),
            inactive_after: self.inactive_after.or(usual.inactive_after),
            url_permission_lag: self.url_permission_lag.unwrap_or(usual.url_permission_lag),
            stream_rate: self.stream_rate.or(usual.stream_rate),
            stream_size: self.stream_size.or(usual.stream_size),
            api_rate: self.api_rate.or(usual.api_rate),
            logs_rate: self.logs_rate.or(usual.logs_rate),
            iam_rate: self.iam_rate.or(usual.iam_rate),
            open_bodyless: self.bodyless.map_or(usual.open_bodyless, |how| how == Bodyless::Open),
            url_regions: self.url_regions.map_or(usual.url_regions, |which| which == UrlRegions::Aws),
            concurrency: self.concurrency.unwrap_or(usual.concurrency),
            block_public: self.block_public,
            public_hosts: self.public_hosts,
            failing: self.failing.clone(),
            adapters: super::adapter::programs(),
            layers: super::layers::directory(),
            ..usual
        }
    }

    /// The same on a command line: for the process in the background, and to compare.
    pub(super) fn flags(&self) -> Vec<String> {
        let time = |time: Option<Duration>| time.map(|time| format!("{}ms", time.as_millis()));
        let bytes = |bytes: Option<u64>| bytes.map(|bytes| format!("{bytes}B"));
        let pairs = [
            ("--role-propagation", time(self.role_propagation)),
            ("--pending", time(self.pending)),
            ("--update", time(self.update)),
            ("--snapshot", time(self.snapshot)),
            ("--visibility-lag", time(self.visibility_lag)),
            ("--conflict-lag", time(self.conflict_lag)),
            ("--bucket-name-lag", time(self.bucket_name_lag)),
            ("--inactive-after", time(self.inactive_after)),
            ("--url-permission-lag", time(self.url_permission_lag)),
            ("--stream-rate", bytes(self.stream_rate)),
            ("--stream-size", bytes(self.stream_size)),
            ("--api-rate", self.api_rate.map(|rate| rate.to_string())),
            ("--logs-rate", self.logs_rate.map(|rate| rate.to_string())),
            ("--iam-rate", self.iam_rate.map(|rate| rate.to_string())),
            ("--bodyless", self.bodyless.as_ref().map(word)),
            ("--url-regions", self.url_regions.as_ref().map(word)),
            ("--concurrency", self.concurrency.map(|count| count.to_string())),
        ];
        let failing = self.failing.iter().map(|name| ("--failing", Some(name.clone())));
        let pairs = pairs.into_iter().chain(failing);
        let switches = [
            ("--like-aws", self.like_aws),
            ("--block-public", self.block_public),
            ("--public-hosts", self.public_hosts),
        ];
        let switches = switches.into_iter().filter(|(_, on)| *on).map(|(name, _)| name.to_owned());
        switches.chain(pairs.filter_map(|(name, value)| Some(format!("{name}={}", value?)))).collect()
    }
}

/// A value as it is written on a command line.
fn word(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::cli::{Bodyless, Limits, UrlRegions};
    use std::path::Path;
    use std::time::Duration;

    #[test]
    fn what_is_asked_for_wins_over_what_aws_has() {
        let limits = Limits {
            like_aws: true,
            role_propagation: Some(Duration::ZERO),
            stream_rate: Some(1),
            public_hosts: true,
            failing: vec!["a".to_owned()],
            bodyless: Some(Bodyless::End),
            url_regions: Some(UrlRegions::All),
            ..Limits::default()
        };
        let options = limits.options(Path::new("data"));
        assert_eq!((options.role_propagation, options.stream_rate), (Duration::ZERO, Some(1)));
        assert_eq!((options.stream_size, options.api_rate), (Some(200 * 1024 * 1024), Some(15)));
        assert_eq!((options.logs_rate, options.iam_rate), (Some(5), Some(10)));
        assert!(!options.open_bodyless && !options.url_regions);
        assert!(options.public_hosts && !Limits::default().options(Path::new("data")).public_hosts);
        assert_eq!(
            limits.flags(),
            [
                "--like-aws",
                "--public-hosts",
                "--role-propagation=0ms",
                "--stream-rate=1B",
                "--bodyless=end",
                "--url-regions=all",
                "--failing=a"
            ]
        );
        assert!(Limits::default().flags().is_empty());
    }
}
