//! The user or role that made a call to AWS.

use super::arn::Arn;
use super::name::Names;
use super::partition::Partition;

/// The kinds of callers that STS names, as their ARNs' resources begin. All others belong to IAM.
const OF_STS: [&str; 2] = ["assumed-role/", "federated-user/"];
const OF_IAM: [&str; 2] = ["user/", "role/"];
const ROOT: &str = "root";

/// A caller, in a form that is short enough for the descriptions that store it: the resource of the ARN if the rest
/// follows from the function's account and region, otherwise the whole ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller(String);

impl Caller {
    /// The caller with this ARN, as a function with these names stores it.
    pub fn of_arn(arn: &str, names: &Names) -> Option<Caller> {
        let parsed = Arn::parse(arn)?;
        let caller = Caller::read(parsed.resource).filter(|caller| caller.arn(names) == arn);
        caller.or_else(|| Caller::read(arn))
    }

    /// Reads the stored form; `None` if it is anything else.
    pub fn read(text: &str) -> Option<Caller> {
        let resource = Arn::parse(text).map_or(text, |arn| arn.resource);
        let is_known = resource == ROOT || OF_STS.iter().chain(&OF_IAM).any(|kind| resource.starts_with(kind));
        let is_word = !text.contains(|letter: char| letter.is_whitespace() || letter.is_control());
        (is_known && is_word).then(|| Caller(text.to_owned()))
    }

    /// The stored form, which has no spaces.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn arn(&self, names: &Names) -> String {
        if Arn::parse(&self.0).is_some() {
            return self.0.clone();
        }
        let service = if OF_STS.iter().any(|kind| self.0.starts_with(kind)) { "sts" } else { "iam" };
        let partition = Partition::of_known(&names.region).name;
        Arn { partition, service, region: "", account: &names.account, resource: &self.0 }.to_string()
    }

    /// The name that a person knows: of the session, the user or the role.
    pub fn name(&self) -> &str {
        self.0.rsplit(['/', ':']).next().unwrap_or(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            app: "shop".into(),
            stage: None,
            function: "chat".into(),
            region: "eu-central-1".into(),
            account: "123456789012".into(),
            log_group: None,
        }
    }

    #[test]
    fn a_caller_is_stored_briefly_and_keeps_its_arn() {
        for (arn, stored, name) in [
            (
                "arn:aws:sts::123456789012:assumed-role/Deploy/alice@example.com",
                "assumed-role/Deploy/alice@example.com",
                "alice@example.com",
            ),
            ("arn:aws:iam::123456789012:user/team/bob", "user/team/bob", "bob"),
            ("arn:aws:iam::123456789012:root", "root", "root"),
            ("arn:aws:sts::123456789012:federated-user/carol", "federated-user/carol", "carol"),
            ("arn:aws:iam::210987654321:user/dora", "arn:aws:iam::210987654321:user/dora", "dora"),
            ("arn:aws-cn:iam::123456789012:root", "arn:aws-cn:iam::123456789012:root", "root"),
        ] {
            let caller = Caller::of_arn(arn, &names()).unwrap();
            assert_eq!((caller.as_str(), caller.name(), &*caller.arn(&names())), (stored, name, arn));
            assert_eq!(Caller::read(stored), Some(caller));
        }
        for foreign in ["", "arn", "alice", "user/a b", "arn:aws:s3:::bucket", "user/a\u{1b}[2J"] {
            assert_eq!(Caller::read(foreign), None, "{foreign}");
        }
        assert_eq!(Caller::of_arn("not an arn", &names()), None);
    }
}
