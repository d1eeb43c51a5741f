//! What to do about a call that failed.

use crate::apply::{CloudError, LOG_IN, Reason};

pub(super) fn hint_for(error: &CloudError) -> Option<&'static str> {
    match (error.reason, error.code.as_deref().unwrap_or_default()) {
        // It names the command for the profile.
        (Reason::Credentials, _) if error.message.contains(LOG_IN) => {
            Some("choose another profile with `--profile`, or try it without an account: `--local`")
        }
        (Reason::Credentials, _) => Some(
            "log in (`aws sso login`, `aws configure`), choose a profile with `--profile`, or try it without an \
             account: `--local`",
        ),
        (Reason::Settings, _) if error.message == "no region is set" => {
            Some("set `region` in the manifest, `AWS_REGION`, or `--region`; or try it without an account: `--local`")
        }
        (Reason::Settings, _) if error.action != "use the configured endpoints" => None,
        (Reason::Settings, _) => Some("unset the `AWS_ENDPOINT_URL` variables, or point all of them to one place"),
        (Reason::Conflict, _) => Some("see what is live with `lamstream status`, then deploy again"),
        (_, "InvalidParameterValueException") if error.message.contains("Adapter is not installed") => {
            Some("run `lamstream local adapter install`, once; then run the same command again")
        }
        (_, "InvalidParameterValueException") if error.message.contains("has no copy of it") => {
            Some("run `lamstream local layer add ARN`, which fetches it with your credentials, or has it from a ZIP")
        }
        (_, "UrlDown") => Some(
            "end that process and rerun the command; if it has to keep the port, destroy the function and deploy it \
             again, which gives it another URL",
        ),
        (_, "PublicPolicyException") => Some(
            "this account blocks public function policies: allow them in the Lambda console's settings, or use \
             `auth = \"aws-iam\"`",
        ),
        (_, "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation") => {
            Some("the credentials lack this permission: ask whoever manages the account for the action that AWS names")
        }
        (_, "TooManyRequestsException" | "Throttling" | "ThrottlingException") => {
            Some("AWS throttles this account's calls: wait a little, then run the same command again")
        }
        (Reason::Unreachable, _) => Some("check the network, then run the same command again; it goes on from there"),
        (Reason::TimedOut, _) => Some("run the same command again; it goes on from there"),
        _ => None,
    }
}
