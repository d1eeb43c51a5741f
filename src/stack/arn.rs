//! Amazon Resource Names.

use std::fmt;

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`. Parts that a service does not use are empty, such as IAM's region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    pub partition: &'a str,
    pub service: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    /// May contain colons.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    pub fn parse(text: &'a str) -> Option<Arn<'a>> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, resource] = parts[..] else { return None };
        let right = partition.starts_with("aws") && !service.is_empty() && !resource.is_empty();
        right.then_some(Arn { partition, service, region, account, resource })
    }

    /// Whether it names an account, by twelve digits.
    pub fn has_account(&self) -> bool {
        self.account.len() == 12 && self.account.bytes().all(|byte| byte.is_ascii_digit())
    }
}

impl fmt::Display for Arn<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Arn { partition, service, region, account, resource } = self;
        write!(formatter, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_rendered_as_it_was_parsed() {
        for text in [
            "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
            "arn:aws-cn:lambda:cn-north-1:123456789012:layer:certificates:3",
        ] {
            assert_eq!(Arn::parse(text).unwrap().to_string(), text);
        }
        assert!(Arn::parse("arn:aws:sqs:eu-west-1:123456789012:failed").unwrap().has_account());
        for text in ["", "arn:aws:iam::1", "arn:other:iam::aws:policy/x", "arn:aws:iam::aws:", "urn:aws:iam::aws:x"] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }
}
