//! The AWS names of a stack. All of them are derived from the manifest's names, the region and the account.

use super::arn::Arn;
use super::partition::Partition;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// AWS's limit for role names.
const ROLE_NAME_LIMIT: usize = 64;

/// The location of a stack, and its names there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Names {
    pub app: String,
    pub stage: Option<String>,
    /// The function's name in the manifest.
    pub function: String,
    pub region: String,
    /// Twelve digits.
    pub account: String,
    /// The log group that the manifest names, which several functions may share; `None` for the function's own.
    pub log_group: Option<String>,
}

impl Names {
    /// The alias that traffic is sent to.
    pub const ALIAS: &'static str = "live";
    /// The name of the role's one inline policy.
    pub const POLICY: &'static str = "lamstream";

    /// As made by [`function_name`].
    pub fn function_name(&self) -> String {
        function_name(&self.app, self.stage.as_deref(), &self.function)
    }

    /// The prefix of the names of all functions of this app and stage.
    pub fn prefix(&self) -> String {
        function_name(&self.app, self.stage.as_deref(), "")
    }

    pub fn function_arn(&self) -> String {
        self.arn("lambda", &self.region, &format!("function:{}", self.function_name()))
    }

    /// The alias `live` of the function.
    pub fn live(&self) -> String {
        format!("{}:{}", self.function_name(), Names::ALIAS)
    }

    /// The log group that the manifest names, or the function's own.
    pub fn log_group(&self) -> String {
        self.log_group.clone().unwrap_or_else(|| self.own_log_group())
    }

    /// As made by [`log_group`].
    pub fn own_log_group(&self) -> String {
        log_group(&self.function_name())
    }

    pub fn log_group_arn(&self) -> String {
        self.arn_of_log_group(&self.log_group())
    }

    /// The function's own log group, and the one that the manifest names.
    pub(super) fn log_group_arns(&self) -> BTreeSet<String> {
        [self.own_log_group(), self.log_group()].iter().map(|group| self.arn_of_log_group(group)).collect()
    }

    fn arn_of_log_group(&self, group: &str) -> String {
        self.arn("logs", &self.region, &format!("log-group:{group}"))
    }

    /// `lamstream-REGION-APP[-STAGE]-FUNCTION`. IAM is global, so the region is part of the name. A name over 64
    /// characters is truncated, and ends in eight hex digits of the full name's SHA-256.
    pub fn role_name(&self) -> String {
        let name = format!("lamstream-{}-{}", self.region, self.function_name());
        if name.len() <= ROLE_NAME_LIMIT { name } else { cut(&name, &name, ROLE_NAME_LIMIT) }
    }

    /// The S3 bucket for packages of this function that are too large for Lambda's own calls. If S3 refuses the name, it is
    /// followed by `-2` or `-3`.
    pub fn bucket(&self) -> String {
        let whole = format!("{}/{}/{}", self.app, self.stage.as_deref().unwrap_or_default(), self.function);
        let digest = hex::encode(&Sha256::digest(whole.as_bytes())[..4]);
        format!("lamstream-{}-{}-{digest}", self.account, self.region)
    }

    /// The region of a role, if it is this function's role in one: IAM is global and lists the roles of all regions.
    pub fn region_of_role(&self, role: &str) -> Option<String> {
        let begin = role.strip_prefix("lamstream-")?;
        let regions =
            begin.match_indices('-').map(|(end, _)| &begin[..end]).filter(|name| Partition::of(name).is_some());
        regions.map(str::to_owned).find(|region| Names { region: region.clone(), ..self.clone() }.role_name() == role)
    }

    /// `/lamstream/APP/`
    pub fn role_path(&self) -> String {
        format!("/lamstream/{}/", self.app)
    }

    pub fn role_arn(&self) -> String {
        // IAM is global.
        self.arn("iam", "", &format!("role{}{}", self.role_path(), self.role_name()))
    }

    /// Whether a value is one of the names that messages contain. Such a value is not a secret, wherever else it is
    /// used.
    pub fn have(&self, value: &str) -> bool {
        let parts = [&self.app, &self.function, &self.region, &self.account];
        let made = [self.function_name(), self.log_group(), self.role_name(), self.function_arn(), self.role_arn()];
        let made = made.iter().chain(parts).chain(&self.stage);
        made.into_iter().any(|name| name == value)
    }

    fn arn(&self, service: &str, region: &str, resource: &str) -> String {
        let partition = Partition::of_known(&self.region).name;
        Arn { partition, service, region, account: &self.account, resource }.to_string()
    }
}

/// `APP[-STAGE]-FUNCTION`, the same in every account and region. It has at most 64 characters, which the manifest's
/// checks ensure.
pub fn function_name(app: &str, stage: Option<&str>, function: &str) -> String {
    match stage {
        Some(stage) => format!("{app}-{stage}-{function}"),
        None => format!("{app}-{function}"),
    }
}

/// The name of a stage for a branch or another text: letters, digits, `-` and `_`, at most `limit` of them. A text that is
/// such a name stays as it is. Others end in eight hex digits of the text's SHA-256, so that two branches never share a stage.
pub fn stage_name(text: &str, limit: usize) -> String {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if text.len() <= limit && text.chars().all(is_allowed) {
        return text.to_owned();
    }
    let name: String = text.chars().map(|letter| if is_allowed(letter) { letter } else { '-' }).collect();
    cut(&name, text, limit)
}

/// The beginning of a name of ASCII letters, with eight hex digits of the SHA-256 of what it stands for: at most `limit`
/// characters, but at least the digits.
fn cut(name: &str, whole: &str, limit: usize) -> String {
    let hash = hex::encode(&Sha256::digest(whole.as_bytes())[..4]);
    let kept: String = name.chars().take(limit.saturating_sub(hash.len() + 1)).collect();
    format!("{}-{hash}", kept.trim_end_matches('-')).trim_start_matches('-').to_owned()
}

/// `/aws/lambda/FUNCTION_NAME`
pub fn log_group(function_name: &str) -> String {
    format!("/aws/lambda/{function_name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(app: &str, stage: Option<&str>) -> Names {
        Names {
            app: app.into(),
            stage: stage.map(str::to_owned),
            function: "chat".into(),
            region: "eu-central-1".into(),
            account: "123456789012".into(),
            log_group: None,
        }
    }

    #[test]
    fn names_follow_from_the_manifest() {
        let names = names("shop", Some("prod"));
        assert_eq!(names.function_name(), "shop-prod-chat");
        assert_eq!(names.log_group(), "/aws/lambda/shop-prod-chat");
        assert_eq!(
            names.role_arn(),
            "arn:aws:iam::123456789012:role/lamstream/shop/lamstream-eu-central-1-shop-prod-chat"
        );
    }

    #[test]
    fn a_log_group_of_another_name_replaces_the_functions_own() {
        let named = Names { log_group: Some("/shop".into()), ..names("shop", None) };
        assert_eq!(named.log_group_arn(), "arn:aws:logs:eu-central-1:123456789012:log-group:/shop");
        assert_eq!(named.own_log_group(), "/aws/lambda/shop-chat");
        assert_eq!(named.log_group_arns().len(), 2);
    }

    #[test]
    fn a_long_role_name_is_cut_and_stays_unique() {
        let (one, other) = (names(&"a".repeat(60), None), names(&format!("{}b", "a".repeat(59)), None));
        assert_eq!(one.role_name().len(), 64);
        assert_ne!(one.role_name(), other.role_name());
    }

    #[test]
    fn a_role_tells_its_region() {
        let names = names("shop", Some("1"));
        let role = |region: &str| Names { region: region.into(), ..names.clone() }.role_name();
        for region in ["eu-central-1", "us-gov-west-1", "ap-southeast-12"] {
            assert_eq!(names.region_of_role(&role(region)).as_deref(), Some(region));
        }
        let long = Names { app: "a".repeat(60), ..names.clone() };
        let elsewhere = Names { region: "us-east-1".into(), ..long.clone() };
        assert_eq!(long.region_of_role(&elsewhere.role_name()).as_deref(), Some("us-east-1"));
        for other in ["lamstream-us-east-1-shop-2-chat", "lamstream-us-east-1-shop-1-chat-two", "lamstream-", "chat"] {
            assert_eq!(names.region_of_role(other), None, "{other}");
        }
    }

    #[test]
    fn partitions_follow_the_region() {
        let mut names = names("shop", None);
        for (region, arn) in [("cn-north-1", "arn:aws-cn:"), ("us-gov-west-1", "arn:aws-us-gov:")] {
            names.region = region.into();
            assert!(names.function_arn().starts_with(arn));
        }
    }
}
