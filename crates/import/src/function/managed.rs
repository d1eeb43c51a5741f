//! The paths of AWS's managed policies, which templates name without an ARN.

/// Every role that lamstream creates includes it.
pub(super) const LOGS: &str = "AWSLambdaBasicExecutionRole";

const SERVICE_ROLES: [&str; 14] = [
    LOGS,
    "AWSLambdaVPCAccessExecutionRole",
    "AWSLambdaKinesisExecutionRole",
    "AWSLambdaDynamoDBExecutionRole",
    "AWSLambdaSQSQueueExecutionRole",
    "AWSLambdaENIManagementAccess",
    "AWSLambdaMSKExecutionRole",
    "AWSLambdaRole",
    "AmazonS3ObjectLambdaExecutionRolePolicy",
    "AWSCodeDeployRoleForLambda",
    "AWSCodeDeployRoleForLambdaLimited",
    "AmazonAPIGatewayPushToCloudWatchLogs",
    "AWSGlueServiceRole",
    "AmazonDMSVPCManagementRole",
];
const JOB_FUNCTIONS: [&str; 7] = [
    "Billing",
    "DatabaseAdministrator",
    "DataScientist",
    "NetworkAdministrator",
    "SupportUser",
    "SystemAdministrator",
    "ViewOnlyAccess",
];
/// The common ones at the root.
const ROOT: [&str; 44] = [
    "AdministratorAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "SecurityAudit",
    "IAMFullAccess",
    "IAMReadOnlyAccess",
    "AWSXRayDaemonWriteAccess",
    "AWSXrayWriteOnlyAccess",
    "AWSXrayReadOnlyAccess",
    "AWSXrayFullAccess",
    "AWSLambda_FullAccess",
    "AWSLambda_ReadOnlyAccess",
    "AWSLambdaExecute",
    "AWSLambdaInvocation-DynamoDB",
    "AWSStepFunctionsFullAccess",
    "AWSStepFunctionsReadOnlyAccess",
    "AmazonAPIGatewayInvokeFullAccess",
    "AmazonAPIGatewayAdministrator",
    "AmazonBedrockFullAccess",
    "AmazonBedrockReadOnly",
    "AmazonCognitoPowerUser",
    "AmazonCognitoReadOnly",
    "AmazonDynamoDBFullAccess",
    "AmazonDynamoDBReadOnlyAccess",
    "AmazonEC2FullAccess",
    "AmazonEC2ReadOnlyAccess",
    "AmazonEventBridgeFullAccess",
    "AmazonKinesisFullAccess",
    "AmazonKinesisReadOnlyAccess",
    "AmazonRDSFullAccess",
    "AmazonRDSReadOnlyAccess",
    "AmazonRekognitionFullAccess",
    "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonSESFullAccess",
    "AmazonSNSFullAccess",
    "AmazonSNSReadOnlyAccess",
    "AmazonSQSFullAccess",
    "AmazonSQSReadOnlyAccess",
    "AmazonSSMFullAccess",
    "AmazonSSMReadOnlyAccess",
    "CloudWatchFullAccess",
    "CloudWatchLogsFullAccess",
    "CloudWatchLambdaInsightsExecutionRolePolicy",
];

/// The path before a policy's name; `None` if it is not known here.
pub(super) fn path(name: &str) -> Option<&'static str> {
    if SERVICE_ROLES.contains(&name) {
        Some("service-role/")
    } else if JOB_FUNCTIONS.contains(&name) {
        Some("job-function/")
    } else {
        ROOT.contains(&name).then_some("")
    }
}

/// The name of an AWS policy, given by name or by ARN; `None` for any other account's policy.
pub(super) fn name_of(policy: &str) -> Option<&str> {
    if !policy.starts_with("arn:") {
        return Some(policy);
    }
    let (partition, rest) = policy.strip_prefix("arn:")?.split_once(":iam::aws:policy/")?;
    let name = rest.rsplit('/').next()?;
    (partition.starts_with("aws") && path(name).is_none_or(|path| rest == format!("{path}{name}"))).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_policy_of_aws_has_its_name() {
        for (policy, name) in [
            (LOGS, Some(LOGS)),
            ("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", Some(LOGS)),
            ("arn:aws-cn:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", Some(LOGS)),
            ("arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole", None),
            ("arn:aws:iam::123456789012:policy/AWSLambdaBasicExecutionRole", None),
            ("arn:aws:iam::123456789012:policy/team-AWSLambdaBasicExecutionRole", None),
            ("team-AWSLambdaBasicExecutionRole", Some("team-AWSLambdaBasicExecutionRole")),
        ] {
            assert_eq!(name_of(policy), name, "{policy}");
        }
    }

    #[test]
    fn no_name_is_listed_twice() {
        let mut all = [SERVICE_ROLES.as_slice(), &JOB_FUNCTIONS, &ROOT].concat();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
