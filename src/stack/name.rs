//! Every AWS name of a stack follows from the manifest's names, the region and the account.

use super::arn::Arn;
use super::partition::Partition;
use crate::text::hex;
use sha2::{Digest, Sha256};

/// AWS's limit for the name of a role.
const ROLE_NAME_LIMIT: usize = 64;

/// Where a stack lives and what it is called there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Names {
    pub app: String,
    pub stage: Option<String>,
    /// The function's name in the manifest.
    pub function: String,
    pub region: String,
    /// Twelve digits.
    pub account: String,
}

impl Names {
    /// The alias that traffic goes to.
    pub const ALIAS: &'static str = "live";
    /// The name of the role's one inline policy.
    pub const POLICY: &'static str = "lamstream";

    /// As [`function_name`] has it.
    pub fn function_name(&self) -> String {
        function_name(&self.app, self.stage.as_deref(), &self.function)
    }

    /// What the names of all functions of this app and stage begin with.
    pub fn prefix(&self) -> String {
        function_name(&self.app, self.stage.as_deref(), "")
    }

    pub fn function_arn(&self) -> String {
        self.arn("lambda", &self.region, &format!("function:{}", self.function_name()))
    }

    /// As [`log_group`] has it.
    pub fn log_group(&self) -> String {
        log_group(&self.function_name())
    }

    pub fn log_group_arn(&self) -> String {
        self.arn("logs", &self.region, &format!("log-group:{}", self.log_group()))
    }

    /// `lamstream-REGION-APP[-STAGE]-FUNCTION`: IAM is global, so the region is part of the name. What is over 64
    /// characters is cut and ends in eight hex digits of the whole name's SHA-256.
    pub fn role_name(&self) -> String {
        let name = format!("lamstream-{}-{}", self.region, self.function_name());
        if name.len() <= ROLE_NAME_LIMIT {
            return name;
        }
        let digest = Sha256::digest(name.as_bytes());
        let hash = hex(&digest[..4]);
        let kept: String = name.chars().take(ROLE_NAME_LIMIT - hash.len() - 1).collect();
        format!("{kept}-{hash}")
    }

    /// `/lamstream/APP/`
    pub fn role_path(&self) -> String {
        format!("/lamstream/{}/", self.app)
    }

    pub fn role_arn(&self) -> String {
        // IAM is global.
        self.arn("iam", "", &format!("role{}{}", self.role_path(), self.role_name()))
    }

    /// Whether a value is one of the names that messages are full of: no secret, whatever it is the value of.
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

/// `APP[-STAGE]-FUNCTION`, at most 64 characters (the manifest is checked for it): the same in every account and region.
pub fn function_name(app: &str, stage: Option<&str>, function: &str) -> String {
    match stage {
        Some(stage) => format!("{app}-{stage}-{function}"),
        None => format!("{app}-{function}"),
    }
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
    fn a_long_role_name_is_cut_and_stays_unique() {
        let (one, other) = (names(&"a".repeat(60), None), names(&format!("{}b", "a".repeat(59)), None));
        assert_eq!(one.role_name().len(), 64);
        assert_ne!(one.role_name(), other.role_name());
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
