//! How long a function's logs are kept, and what Lambda writes to them.

use super::section::{Entry, Section};
use crate::stack::{LogFormat, Logging};

/// The retention periods that CloudWatch Logs supports, in days.
const RETENTION_DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
const DEFAULT_RETENTION_DAYS: u32 = 30;
const GROUP: &str = "the name of a log group: 1 to 512 letters, digits and `-_/.#`, not beginning with `aws/`";

/// The table `log`.
pub(super) struct Log {
    /// `None` keeps logs forever.
    pub retention_days: Option<u32>,
    /// The name of the log group; `None` for the function's own.
    pub group: Option<String>,
    pub logging: Logging,
}

impl Log {
    pub(super) fn read(function: &Section<'_>) -> Log {
        let keys = function.section("log");
        let retention = keys.as_ref().and_then(|keys| keys.entry("retention_days"));
        Log {
            retention_days: retention.map_or(Some(DEFAULT_RETENTION_DAYS), |entry| read_retention(&entry)),
            group: keys.as_ref().and_then(|keys| keys.matching("group", is_group, GROUP)).map(str::to_owned),
            logging: keys.map(|keys| read_logging(&keys)).unwrap_or_default(),
        }
    }
}

/// CloudWatch Logs keeps names that begin with `aws/` for AWS.
fn is_group(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/.#".contains(&byte);
    (1..=512).contains(&text.len()) && text.bytes().all(allowed) && !text.starts_with("aws/")
}

fn read_logging(keys: &Section<'_>) -> Logging {
    let (level, system_level) = (keys.word("level"), keys.word("system_level"));
    if keys.word::<LogFormat>("format") == LogFormat::Json {
        return Logging::Json { level, system_level };
    }
    for entry in ["level", "system_level"].into_iter().filter_map(|key| keys.entry(key)) {
        let name = entry.name;
        entry.problem_with_name(format!("`{name}` requires `format = \"json\"`"));
    }
    Logging::Text
}

fn read_retention(entry: &Entry<'_>) -> Option<u32> {
    if entry.is_string() {
        entry.matching(|text| text == "never", "a number of days, or `never` to keep logs forever");
        return None;
    }
    let days = entry.integer(&(1..=3653), "days, or `never` to keep logs forever")?.into_inner();
    if !RETENTION_DAYS.contains(&days) {
        let allowed = RETENTION_DAYS.map(|days| days.to_string()).join(", ");
        entry.problem(format!("`retention_days` is {days}, expected one of {allowed}, or `never`"));
    }
    Some(days)
}
