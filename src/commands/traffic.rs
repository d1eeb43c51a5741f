//! The words for where the traffic goes.

use crate::aws::Traffic;

/// Says which version gets the traffic; `None` if this run did not move it.
pub(super) fn describe_traffic(traffic: &Traffic) -> Option<String> {
    match traffic {
        Traffic::Unmoved => None,
        Traffic::Moved(version) => Some(format!("version {version} is live")),
        Traffic::Unknown(version) => Some(format!("`live` may be on version {version}")),
    }
}
