//! What to do about a call that failed.

use crate::apply::Reason;

pub(super) fn hint_for(reason: Reason) -> Option<&'static str> {
    let hint = match reason {
        Reason::LoggedOut => "choose another profile with `--profile`, or try it without an account: `--local`",
        Reason::Credentials => {
            "log in (`aws sso login`, `aws configure`), choose a profile with `--profile`, or try it without an \
             account: `--local`"
        }
        Reason::NoRegion => {
            "set `region` in the manifest, `AWS_REGION`, or `--region`; or try it without an account: `--local`"
        }
        Reason::SplitEndpoints => "unset the `AWS_ENDPOINT_URL` variables, or point all of them to one place",
        Reason::Conflict => "check what is live with `lamstream status`, then deploy again",
        Reason::NoAdapter => "run `lamstream local adapter install` once, then rerun the command",
        Reason::NoLayer => {
            "run `lamstream local layer add ARN`, which downloads it with your credentials, or adds it from a ZIP"
        }
        Reason::UrlTaken => {
            "end that process and rerun the command; if it has to keep the port, destroy the function and deploy it \
             again, which gives it another URL"
        }
        Reason::PublicBlocked => {
            "this account blocks public function policies: allow them in the Lambda console's settings, or use \
             `auth = \"aws-iam\"`"
        }
        Reason::Denied => {
            "the credentials lack this permission: ask the administrator of the account for the action that AWS names"
        }
        Reason::Throttled => "AWS throttles this account's calls: wait a moment, then rerun the command",
        Reason::Unreachable => "check your network and rerun the command; it resumes where it stopped",
        Reason::TimedOut => "rerun the command; it resumes where it stopped",
        Reason::Refused | Reason::Busy | Reason::RoleNotReady | Reason::Settings | Reason::Interrupted => return None,
    };
    Some(hint)
}
