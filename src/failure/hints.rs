//! Hints for calls that failed.

use crate::apply::Reason;
use crate::manifest::{Manifest, Origin};
use crate::stack::NoValue;
use crate::text::quoted;

/// The hint for a value of the manifest that its source does not have.
pub fn hint_for_missing((origin, why): &(Origin, NoValue), manifest: &Manifest) -> Option<String> {
    match why {
        NoValue::Missing(_) => Some(hint_to_create(origin, manifest)),
        NoValue::Unfit(_) => Some(hint_to_replace(origin)),
        NoValue::Unreadable(_) => None,
    }
}

fn hint_to_replace(origin: &Origin) -> String {
    match origin {
        Origin::Env(name) => format!("set `{name}` to text in UTF-8 where lamstream runs"),
        Origin::EnvFile(path) => format!("save `{}` as text in UTF-8", path.display()),
        Origin::File(path) => format!("save only the value in `{}`, as text in UTF-8", path.display()),
        Origin::Ssm(name) => format!("store the value as text in the parameter `{name}`"),
        Origin::Secret(name) => {
            let name = quoted(name);
            format!("store text: `aws secretsmanager put-secret-value --secret-id {name} --secret-string VALUE`")
        }
    }
}

fn hint_to_create(origin: &Origin, manifest: &Manifest) -> String {
    let create = |command: String| format!("create it if it does not exist: `aws {command}`");
    let correct =
        |what: &str, arn: &str| format!("check that `{arn}` is the ARN of {what} that these credentials can read");
    match origin {
        Origin::Env(name) => {
            let name = quoted(name);
            format!("set the variable where lamstream runs: `export {name}=VALUE`, or in the CI system's settings")
        }
        Origin::File(path) | Origin::EnvFile(path) => {
            format!("create `{}`; its path is relative to the manifest", path.display())
        }
        Origin::Ssm(arn) if arn.starts_with("arn:") => correct("a parameter", arn),
        Origin::Secret(arn) if arn.starts_with("arn:") => correct("a secret", arn),
        Origin::Ssm(name) => match manifest.secret_of(name) {
            Some(secret) => format!("store it if it does not exist: `lamstream secret set {secret}`"),
            None => {
                let name = quoted(name.split(':').next().unwrap_or(name));
                create(format!("ssm put-parameter --type SecureString --name {name} --value VALUE"))
            }
        },
        Origin::Secret(name) => {
            create(format!("secretsmanager create-secret --name {} --secret-string VALUE", quoted(name)))
        }
    }
}

/// What to do about a function with a URL in a region without Function URLs. The region was asked; what the others have is
/// only an example. Source: docs/aws.md, "Function URLs".
pub(super) fn hint_for_no_urls(name: &str, region: &str) -> String {
    let other = match region.split('-').next() {
        Some("ap") => "ap-southeast-1",
        Some("ca") => "ca-central-1",
        Some("eu" | "il" | "me") => "eu-central-1",
        // China has none at all.
        Some("cn") => return format!("remove `url` from `{name}`, and let another service invoke the alias `live`"),
        _ => "us-east-1",
    };
    format!(
        "deploy to a region that has them, such as `{other}`; or remove `url` from `{name}`, and let another service \
         invoke the alias `live`"
    )
}

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
        Reason::SplitEndpoints => "unset the `AWS_ENDPOINT_URL` variables, or point all of them at the same endpoint",
        Reason::Conflict => "check what is live with `lamstream status`, then rerun the command",
        Reason::NoAdapter => {
            "correct or unset `LAMSTREAM_ADAPTER`, then restart the local cloud: `lamstream local stop`, `lamstream local start`"
        }
        Reason::NoLayer => {
            "run `lamstream local layer add ARN`, which downloads it with your credentials, or adds it from a ZIP"
        }
        Reason::UrlTaken => {
            "end that process and rerun the command; if it has to keep the port, destroy the function and deploy it \
             again, which gives it another URL"
        }
        Reason::PublicBlocked => {
            "allow public function policies in the Lambda console's settings, or use `auth = \"aws-iam\"`"
        }
        Reason::Denied => "ask your AWS administrator for the permission that AWS names in the error",
        Reason::NotInRegion => {
            "choose another region, or remove what this one does not offer (such as `url`) from the manifest"
        }
        Reason::NoSnapStart => {
            "AWS does not make snapshots in every region: remove `snap_start` from the manifest, or choose another region"
        }
        Reason::NoSnapshot => {
            "Lambda starts the function once for its snapshot: run `lamstream logs` to see why that failed, then deploy again"
        }
        Reason::Undecryptable => {
            "allow these credentials `kms:Decrypt` on the KMS key that encrypts the function's environment"
        }
        Reason::Throttled => "wait a moment, then rerun the command: AWS is throttling this account",
        Reason::Unreachable => "check your network and rerun the command; it resumes where it stopped",
        Reason::TimedOut => "rerun the command; it resumes where it stopped",
        Reason::Refused
        | Reason::Missing
        | Reason::Untagged
        | Reason::Exists
        | Reason::ExistsOrBusy
        | Reason::NotEmpty
        | Reason::Unavailable
        | Reason::Busy
        | Reason::RoleNotReady
        | Reason::NotReady
        | Reason::Settings
        | Reason::Interrupted => return None,
    };
    Some(hint)
}

/// Whether the same call would be refused tomorrow: limits, invalid requests, what a region does not have.
pub(super) fn is_permanent(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::Refused
            | Reason::Exists
            | Reason::ExistsOrBusy
            | Reason::Settings
            | Reason::NoSnapStart
            | Reason::NoSnapshot
    )
}

#[cfg(test)]
mod tests {
    use super::super::Failure;
    use crate::apply::{CloudError, Reason};

    #[test]
    fn only_what_may_pass_is_worth_a_rerun() {
        let hints = |reason| Failure::stopped_early(CloudError::new("do it", reason, "no"), vec![], vec![]).hints;
        assert_eq!(hints(Reason::Refused), [""; 0]);
        assert_eq!(hints(Reason::ExistsOrBusy), [""; 0]);
        for reason in [Reason::Busy, Reason::NotReady, Reason::Unavailable, Reason::TimedOut, Reason::Interrupted] {
            assert!(hints(reason).iter().any(|hint| hint.contains("rerun")), "{reason:?}");
        }
    }
}
