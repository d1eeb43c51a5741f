//! Which actions each command needs, and what for. `tests/cli/permissions.rs` compares it with the calls that the
//! commands make.

use crate::manifest::{Function, RoleSource};
use crate::stack::{Auth, FunctionUrl};

/// The commands that call AWS, in the order of `lamstream --help`.
pub const COMMANDS: [&str; 16] = [
    "plan", "deploy", "promote", "status", "stats", "verify", "releases", "stages", "url", "logs", "invoke",
    "rollback", "abort", "destroy", "secret", "doctor",
];

pub(super) const PASS_ROLE: &str = "iam:PassRole";

/// An action that commands need.
pub(super) struct Row {
    pub action: &'static str,
    pub on: On,
    pub when: When,
    pub commands: &'static [&'static str],
}

/// What an action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// AWS has no resource for the action.
    Everything,
    /// The functions with their versions and aliases.
    Functions,
    /// The functions of the app and the stage, also those that the manifest no longer names.
    FunctionsOfStage,
    /// The functions of the app in all stages.
    FunctionsOfApp,
    /// The roles, also by their names alone: IAM cannot know the path of a role that does not exist.
    RolesByName,
    /// The roles that lamstream creates, not those that the manifest names.
    Roles,
    /// All roles of the app.
    RolesOfApp,
    /// The roles that functions have.
    PassedRoles,
    LogGroups,
    /// The parameters that values come from, and those of the checks alone.
    Parameters,
    CheckParameters,
    /// The parameters of `secret`.
    OwnParameters,
    Secrets,
    CheckSecrets,
    Layers,
    KmsKeys,
    Buckets,
    Objects,
    /// Everything of a kind, with any name: a service and patterns. It belongs to the region, or to the account as a whole.
    AnyInRegion(&'static str, &'static [&'static str]),
    AnyInAccount(&'static str, &'static [&'static str]),
}

/// Functions that do not exist, because the call is a question.
const ANY_FUNCTION: On = On::AnyInRegion("lambda", &["function:*"]);
/// The user or role that calls.
const ANY_CALLER: On = On::AnyInAccount("iam", &["user/*", "role/*"]);

/// The part of a manifest that needs the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Always,
    HasUrl,
    IsPublic,
    IsSigned,
    HasConcurrency,
    HasProvisioned,
    HasTags,
    /// An own role with managed policies.
    HasManagedPolicies,
    HasBoundary,
    KeepsLogsForever,
    ForgetsLogs,
    ShiftsByItself,
    HasNetwork,
    HasFileSystems,
    /// Packages go through S3.
    UsesBucket,
    /// Packages go through a bucket that lamstream creates.
    MakesBucket,
    /// The manifest names no bucket, so that lamstream may have created one.
    LooksForBucket,
}

impl When {
    /// Whether it is so of a function. What is about buckets is the same for all functions.
    pub(super) fn is_true_of(self, function: &Function) -> bool {
        let auth = |auth: Auth| function.url.as_ref().map(|url: &FunctionUrl| url.auth) == Some(auth);
        match (self, &function.role) {
            (When::Always | When::UsesBucket | When::MakesBucket | When::LooksForBucket, _) => true,
            (When::HasUrl, _) => function.url.is_some(),
            (When::IsPublic, _) => auth(Auth::None),
            (When::IsSigned, _) => auth(Auth::AwsIam),
            (When::HasConcurrency, _) => function.concurrency.is_some(),
            (When::HasProvisioned, _) => function.provisioned_concurrency.is_some(),
            (When::HasTags, _) => function.tags.iter().next().is_some(),
            (When::HasManagedPolicies, RoleSource::Own { managed_policies, .. }) => !managed_policies.is_empty(),
            (When::HasBoundary, RoleSource::Own { permissions_boundary, .. }) => permissions_boundary.is_some(),
            (When::HasManagedPolicies | When::HasBoundary, RoleSource::Given { .. }) => false,
            (When::KeepsLogsForever, _) => function.retention_days.is_none(),
            (When::ForgetsLogs, _) => function.retention_days.is_some(),
            (When::ShiftsByItself, _) => function.rollout.is_some(),
            (When::HasNetwork, _) => function.attachments.vpc.is_some(),
            (When::HasFileSystems, _) => !function.attachments.file_systems.is_empty(),
        }
    }
}

const fn row(action: &'static str, on: On, when: When, commands: &'static [&'static str]) -> Row {
    Row { action, on, when, commands }
}

/// All that look at what is deployed first.
const LOOKING: &[&str] = &["plan", "status", "releases", "verify", "deploy", "rollback", "promote", "abort", "destroy"];
/// The same without `destroy`, which compares nothing.
const COMPARING: &[&str] = &["plan", "status", "releases", "verify", "deploy", "rollback", "promote", "abort"];
const LOOKING_AND_ASKING: &[&str] =
    &["plan", "status", "releases", "verify", "url", "invoke", "deploy", "rollback", "promote", "abort", "destroy"];
const MOVING: &[&str] = &["deploy", "rollback", "promote", "abort"];
/// They send requests to a new version.
const TRYING: &[&str] = &["deploy", "rollback", "promote"];
/// They send requests to a URL.
const SENDING: &[&str] = &["deploy", "rollback", "promote", "verify", "invoke"];
const DEPLOYING: &[&str] = &["deploy"];
const DESTROYING: &[&str] = &["destroy"];
const DEPLOYING_AND_DESTROYING: &[&str] = &["deploy", "destroy"];
const RESOLVING: &[&str] = &["plan", "status", "deploy", "doctor"];
const CHECKING: &[&str] = &["rollback", "promote", "verify"];

/// All rows. Statements of a policy are in this order.
pub(super) const ROWS: &[Row] = &[
    row("lambda:ListFunctions", On::Everything, When::Always, &["status", "stages", "destroy"]),
    row("iam:ListRoles", On::Everything, When::Always, &["status", "destroy"]),
    row("logs:DescribeLogGroups", On::Everything, When::Always, LOOKING),
    row("lambda:GetFunction", On::Functions, When::Always, LOOKING),
    row("lambda:GetFunction", On::FunctionsOfApp, When::Always, &["stages"]),
    row("lambda:ListTags", On::Functions, When::Always, LOOKING),
    row("lambda:ListTags", On::FunctionsOfStage, When::Always, &["status", "destroy"]),
    row("lambda:ListTags", On::FunctionsOfApp, When::Always, &["stages"]),
    row("lambda:GetAlias", On::Functions, When::Always, LOOKING),
    row("lambda:GetFunctionUrlConfig", On::Functions, When::Always, LOOKING_AND_ASKING),
    row("lambda:GetPolicy", On::Functions, When::Always, LOOKING),
    row("lambda:GetProvisionedConcurrencyConfig", On::Functions, When::Always, LOOKING),
    row("lambda:ListVersionsByFunction", On::Functions, When::Always, &["releases", "deploy", "rollback", "destroy"]),
    row("lambda:GetFunctionRecursionConfig", On::Functions, When::Always, &["status"]),
    row("lambda:GetRuntimeManagementConfig", On::Functions, When::Always, &["status"]),
    row("lambda:ListFunctionEventInvokeConfigs", On::Functions, When::Always, &["status"]),
    row("iam:GetRole", On::RolesByName, When::Always, LOOKING),
    row("iam:GetRolePolicy", On::RolesByName, When::Always, COMPARING),
    row("iam:ListRolePolicies", On::RolesByName, When::Always, COMPARING),
    row("iam:ListAttachedRolePolicies", On::RolesByName, When::Always, LOOKING),
    row("iam:ListRoleTags", On::RolesOfApp, When::Always, &["status", "destroy"]),
    row("logs:ListTagsForResource", On::LogGroups, When::Always, LOOKING),
    row("logs:FilterLogEvents", On::LogGroups, When::Always, &["logs", "stats", "invoke"]),
    row("logs:FilterLogEvents", On::LogGroups, When::ShiftsByItself, DEPLOYING),
    // Changing a function.
    row("lambda:CreateFunction", On::Functions, When::Always, DEPLOYING),
    row("lambda:UpdateFunctionCode", On::Functions, When::Always, DEPLOYING),
    row("lambda:UpdateFunctionConfiguration", On::Functions, When::Always, DEPLOYING),
    row("lambda:PublishVersion", On::Functions, When::Always, DEPLOYING),
    row("lambda:ListAliases", On::Functions, When::Always, DEPLOYING),
    row("lambda:DeleteFunction", On::Functions, When::Always, DEPLOYING_AND_DESTROYING),
    row("lambda:CreateAlias", On::Functions, When::Always, DEPLOYING),
    row("lambda:UpdateAlias", On::Functions, When::Always, MOVING),
    row("lambda:CreateFunctionUrlConfig", On::Functions, When::HasUrl, DEPLOYING),
    row("lambda:UpdateFunctionUrlConfig", On::Functions, When::HasUrl, DEPLOYING),
    row("lambda:DeleteFunctionUrlConfig", On::Functions, When::HasUrl, DEPLOYING_AND_DESTROYING),
    row("lambda:AddPermission", On::Functions, When::IsPublic, DEPLOYING),
    row("lambda:RemovePermission", On::Functions, When::IsPublic, DEPLOYING),
    row("lambda:PutFunctionConcurrency", On::Functions, When::HasConcurrency, DEPLOYING),
    row("lambda:DeleteFunctionConcurrency", On::Functions, When::HasConcurrency, DEPLOYING),
    row("lambda:PutProvisionedConcurrencyConfig", On::Functions, When::HasProvisioned, DEPLOYING),
    row("lambda:DeleteProvisionedConcurrencyConfig", On::Functions, When::HasProvisioned, DEPLOYING_AND_DESTROYING),
    row("lambda:TagResource", On::Functions, When::Always, DEPLOYING),
    row("lambda:UntagResource", On::Functions, When::HasTags, DEPLOYING),
    row("lambda:InvokeFunction", On::Functions, When::Always, TRYING),
    row("lambda:InvokeFunction", On::Functions, When::IsSigned, SENDING),
    row("lambda:InvokeFunctionUrl", On::Functions, When::IsSigned, SENDING),
    // Its role.
    row("iam:CreateRole", On::Roles, When::Always, DEPLOYING),
    row("iam:UpdateAssumeRolePolicy", On::Roles, When::Always, DEPLOYING),
    row("iam:DeleteRole", On::Roles, When::Always, DEPLOYING_AND_DESTROYING),
    row("iam:TagRole", On::Roles, When::Always, DEPLOYING),
    row("iam:UntagRole", On::Roles, When::HasTags, DEPLOYING),
    row("iam:ListRolePolicies", On::Roles, When::Always, DESTROYING),
    row("iam:PutRolePolicy", On::Roles, When::Always, DEPLOYING),
    row("iam:DeleteRolePolicy", On::Roles, When::Always, DEPLOYING_AND_DESTROYING),
    row("iam:AttachRolePolicy", On::Roles, When::HasManagedPolicies, DEPLOYING),
    row("iam:DetachRolePolicy", On::Roles, When::HasManagedPolicies, DEPLOYING_AND_DESTROYING),
    row("iam:PutRolePermissionsBoundary", On::Roles, When::HasBoundary, DEPLOYING),
    row("iam:DeleteRolePermissionsBoundary", On::Roles, When::HasBoundary, DEPLOYING),
    row(PASS_ROLE, On::PassedRoles, When::Always, DEPLOYING),
    // Its log group.
    row("logs:CreateLogGroup", On::LogGroups, When::Always, DEPLOYING),
    row("logs:PutRetentionPolicy", On::LogGroups, When::ForgetsLogs, DEPLOYING),
    row("logs:DeleteRetentionPolicy", On::LogGroups, When::KeepsLogsForever, DEPLOYING),
    row("logs:TagResource", On::LogGroups, When::Always, DEPLOYING),
    row("logs:UntagResource", On::LogGroups, When::HasTags, DEPLOYING),
    row("logs:DeleteLogGroup", On::LogGroups, When::Always, DESTROYING),
    // What it uses.
    row("ssm:GetParameters", On::Parameters, When::Always, RESOLVING),
    row("ssm:GetParameters", On::CheckParameters, When::Always, CHECKING),
    row("secretsmanager:GetSecretValue", On::Secrets, When::Always, RESOLVING),
    row("secretsmanager:GetSecretValue", On::CheckSecrets, When::Always, CHECKING),
    row("ec2:DescribeSecurityGroups", On::Everything, When::HasNetwork, DEPLOYING),
    row("ec2:DescribeSubnets", On::Everything, When::HasNetwork, DEPLOYING),
    row("ec2:DescribeVpcs", On::Everything, When::HasNetwork, DEPLOYING),
    row("elasticfilesystem:DescribeMountTargets", On::Everything, When::HasFileSystems, DEPLOYING),
    row("kms:CreateGrant", On::KmsKeys, When::Always, DEPLOYING),
    row("kms:Encrypt", On::KmsKeys, When::Always, DEPLOYING),
    row("kms:Decrypt", On::KmsKeys, When::Always, DEPLOYING),
    row("lambda:GetLayerVersion", On::Layers, When::Always, DEPLOYING),
    // Packages that go through S3.
    row("s3:CreateBucket", On::Buckets, When::MakesBucket, DEPLOYING),
    row("s3:PutBucketTagging", On::Buckets, When::MakesBucket, DEPLOYING),
    row("s3:GetBucketTagging", On::Buckets, When::MakesBucket, DEPLOYING),
    row("s3:GetBucketTagging", On::Buckets, When::LooksForBucket, DESTROYING),
    row("s3:ListBucket", On::Buckets, When::MakesBucket, DEPLOYING_AND_DESTROYING),
    row("s3:ListBucketMultipartUploads", On::Buckets, When::UsesBucket, DEPLOYING_AND_DESTROYING),
    row("s3:DeleteBucket", On::Buckets, When::MakesBucket, DESTROYING),
    row("s3:PutObject", On::Objects, When::UsesBucket, DEPLOYING),
    row("s3:GetObject", On::Objects, When::UsesBucket, DEPLOYING),
    row("s3:DeleteObject", On::Objects, When::UsesBucket, DEPLOYING_AND_DESTROYING),
    row("s3:AbortMultipartUpload", On::Objects, When::UsesBucket, DEPLOYING_AND_DESTROYING),
    row("s3:ListMultipartUploadParts", On::Objects, When::UsesBucket, DEPLOYING),
    // Commands that deploy nothing.
    row("ssm:PutParameter", On::OwnParameters, When::Always, &["secret"]),
    row("ssm:DeleteParameter", On::OwnParameters, When::Always, &["secret"]),
    row("ssm:DescribeParameters", On::Everything, When::Always, &["secret"]),
    row("lambda:GetAccountSettings", On::Everything, When::Always, &["doctor"]),
    row("lambda:GetFunctionUrlConfig", ANY_FUNCTION, When::Always, &["doctor"]),
    row("lambda:GetLayerVersion", On::Layers, When::Always, &["doctor"]),
    row("iam:GetRole", ANY_CALLER, When::Always, &["doctor"]),
    row("iam:SimulatePrincipalPolicy", ANY_CALLER, When::Always, &["doctor"]),
];
