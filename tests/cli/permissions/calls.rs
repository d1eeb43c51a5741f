//! What a call needs: actions, and on which resources.

use crate::support::proxy::Call;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The account and the region of the local cloud.
pub(super) const ACCOUNT: &str = "000000000000";

/// An action, and the resource that it is about; `*` where AWS knows none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    pub action: String,
    pub resource: String,
}

/// What a call needs besides the action of its own name.
pub(super) struct More {
    /// The action of its own name.
    pub of: &'static str,
    /// What is only in requests that need it.
    pub with: &'static str,
    pub action: &'static str,
    /// How sure it is that AWS asks for it: docs/aws.md tells the grades.
    pub sure: &'static str,
}

pub(super) const MORE: &[More] = &[
    More { of: "lambda:CreateFunction", with: "\"Role\"", action: "iam:PassRole", sure: "documented" },
    More { of: "lambda:CreateFunction", with: "\"Tags\"", action: "lambda:TagResource", sure: "belief" },
    More {
        of: "lambda:CreateFunction",
        with: "\"SubnetIds\":[\"",
        action: "ec2:DescribeSecurityGroups",
        sure: "documented",
    },
    More { of: "lambda:CreateFunction", with: "\"SubnetIds\":[\"", action: "ec2:DescribeSubnets", sure: "documented" },
    More { of: "lambda:CreateFunction", with: "\"SubnetIds\":[\"", action: "ec2:DescribeVpcs", sure: "documented" },
    More {
        of: "lambda:CreateFunction",
        with: "\"FileSystemConfigs\":[{",
        action: "elasticfilesystem:DescribeMountTargets",
        sure: "documented",
    },
    More { of: "lambda:CreateFunction", with: "\"KMSKeyArn\":\"arn", action: "kms:CreateGrant", sure: "documented" },
    More { of: "lambda:CreateFunction", with: "\"KMSKeyArn\":\"arn", action: "kms:Encrypt", sure: "documented" },
    More { of: "lambda:CreateFunction", with: "\"KMSKeyArn\":\"arn", action: "kms:Decrypt", sure: "documented" },
    More { of: "lambda:CreateFunction", with: "\"Layers\":[\"", action: "lambda:GetLayerVersion", sure: "documented" },
    More { of: "lambda:UpdateFunctionConfiguration", with: "\"Role\"", action: "iam:PassRole", sure: "documented" },
    More { of: "lambda:GetFunction", with: "", action: "lambda:ListTags", sure: "model" },
    More { of: "lambda:InvokeFunctionUrl", with: "", action: "lambda:InvokeFunction", sure: "documented" },
    More { of: "iam:CreateRole", with: "Tags.member", action: "iam:TagRole", sure: "documented" },
    More { of: "logs:CreateLogGroup", with: "\"tags\"", action: "logs:TagResource", sure: "documented" },
    More { of: "ssm:GetParameters", with: "\"WithDecryption\"", action: "kms:Decrypt", sure: "documented" },
    More { of: "secretsmanager:GetSecretValue", with: "", action: "kms:Decrypt", sure: "documented" },
];

/// Lambda's operations by method and path, without the path's version; `*` stands for one part of it. An operation
/// has the name of its action, except for invocations.
const LAMBDA: &[(&str, &str)] = &[
    ("GET functions", "ListFunctions"),
    ("POST functions", "CreateFunction"),
    ("GET functions/*", "GetFunction"),
    ("DELETE functions/*", "DeleteFunction"),
    ("PUT functions/*/configuration", "UpdateFunctionConfiguration"),
    ("PUT functions/*/code", "UpdateFunctionCode"),
    ("POST functions/*/versions", "PublishVersion"),
    ("GET functions/*/versions", "ListVersionsByFunction"),
    ("POST functions/*/aliases", "CreateAlias"),
    ("GET functions/*/aliases", "ListAliases"),
    ("GET functions/*/aliases/*", "GetAlias"),
    ("PUT functions/*/aliases/*", "UpdateAlias"),
    ("DELETE functions/*/aliases/*", "DeleteAlias"),
    ("POST functions/*/url", "CreateFunctionUrlConfig"),
    ("GET functions/*/url", "GetFunctionUrlConfig"),
    ("PUT functions/*/url", "UpdateFunctionUrlConfig"),
    ("DELETE functions/*/url", "DeleteFunctionUrlConfig"),
    ("POST functions/*/policy", "AddPermission"),
    ("GET functions/*/policy", "GetPolicy"),
    ("DELETE functions/*/policy/*", "RemovePermission"),
    ("PUT functions/*/concurrency", "PutFunctionConcurrency"),
    ("DELETE functions/*/concurrency", "DeleteFunctionConcurrency"),
    ("GET functions/*/provisioned-concurrency", "GetProvisionedConcurrencyConfig"),
    ("PUT functions/*/provisioned-concurrency", "PutProvisionedConcurrencyConfig"),
    ("DELETE functions/*/provisioned-concurrency", "DeleteProvisionedConcurrencyConfig"),
    ("GET functions/*/recursion-config", "GetFunctionRecursionConfig"),
    ("GET functions/*/runtime-management-config", "GetRuntimeManagementConfig"),
    ("GET functions/*/event-invoke-config/list", "ListFunctionEventInvokeConfigs"),
    ("POST functions/*/response-streaming-invocations", "InvokeFunction"),
    ("GET tags/*", "ListTags"),
    ("POST tags/*", "TagResource"),
    ("DELETE tags/*", "UntagResource"),
];

/// What a request to the function's URL needs, when it is signed.
pub(super) fn of_signed_request(function: &str, region: &str) -> Vec<Need> {
    let resource = format!("arn:aws:lambda:{region}:{ACCOUNT}:function:{function}:live");
    with_more("lambda:InvokeFunctionUrl", vec![resource], "", &Value::Null)
}

/// What a recorded call needs.
///
/// # Panics
/// Where it is none that lamstream is known to make.
pub(super) fn of(call: &Call) -> Vec<Need> {
    let text = String::from_utf8_lossy(&call.request);
    let (head, body) = text.split_once("\r\n\r\n").expect("a request has a head");
    let scope = head.split_once("Credential=").expect("it is signed").1.split(',').next().expect("a scope");
    let scope: Vec<&str> = scope.split('/').collect();
    let (region, service) = (scope[2], scope[3]);
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let field = |name: &str| json[name].as_str().map(str::to_owned);
    let form = |name: &str| {
        let value = body.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        value.map(|value| percent_decode_str(value).decode_utf8_lossy().into_owned())
    };
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:{region}:{ACCOUNT}:{rest}");
    let everything = || vec!["*".to_owned()];
    let (name, resources) = match service {
        // It is allowed to everybody, and cannot be forbidden.
        "sts" => return Vec::new(),
        "lambda" => lambda(&call.name, field("FunctionName"), &arn),
        "iam" => (call.name.clone(), form("RoleName").map_or_else(everything, |name| roles(&call.name, &name))),
        "logs" if call.name == "DescribeLogGroups" => (call.name.clone(), everything()),
        "logs" => {
            let group = field("logGroupName").map(|name| arn("logs", &format!("log-group:{name}")));
            (call.name.clone(), vec![group.or(field("resourceArn")).expect("a log group")])
        }
        "ssm" if call.name == "DescribeParameters" => (call.name.clone(), everything()),
        "ssm" => {
            let names = json["Names"].as_array().into_iter().flatten().chain(json.get("Name"));
            let names = names.map(|name| name.as_str().expect("a name"));
            (call.name.clone(), names.map(|name| arn("ssm", &format!("parameter{name}"))).collect())
        }
        "secretsmanager" => {
            let secret = format!("secret:{}-a1B2c3", field("SecretId").expect("a name"));
            (call.name.clone(), vec![arn(service, &secret)])
        }
        // Small packages leave nothing else to do there than to look.
        "s3" if call.name.starts_with("GET ") && call.name.ends_with("?tagging") => {
            let bucket = call.name["GET /".len()..].split('?').next().expect("a bucket");
            ("GetBucketTagging".to_owned(), vec![format!("arn:aws:s3:::{bucket}")])
        }
        other => panic!("it is not known what `{}` of `{other}` needs", call.name),
    };
    with_more(&format!("{service}:{name}"), resources, body, &json)
}

/// The name of the action, and the function with the version or alias that the call is about.
fn lambda(call: &str, named: Option<String>, arn: &dyn Fn(&str, &str) -> String) -> (String, Vec<String>) {
    let (method, target) = call.split_once(' ').expect("a method and a path");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let parts: Vec<&str> = path.trim_matches('/').split('/').skip(1).collect();
    let is = |pattern: &str| {
        let (its_method, its_path) = pattern.split_once(' ').expect("a method and a path");
        let its_parts: Vec<&str> = its_path.split('/').collect();
        its_method == method
            && its_parts.len() == parts.len()
            && its_parts.iter().zip(&parts).all(|(its, part)| *its == "*" || its == part)
    };
    let found = LAMBDA.iter().find(|(pattern, _)| is(pattern));
    let (_, action) = found.unwrap_or_else(|| panic!("it is not known what `{call}` needs"));
    let resource = match (parts.as_slice(), named) {
        (["tags", resource], _) => percent_decode_str(resource).decode_utf8_lossy().into_owned(),
        (["functions", name, ..], _) => {
            let qualifier = query.split('&').find_map(|pair| pair.strip_prefix("Qualifier="));
            let qualifier = qualifier.map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
            arn("lambda", &format!("function:{name}{qualifier}"))
        }
        (_, Some(name)) => arn("lambda", &format!("function:{name}")),
        (_, None) => "*".to_owned(),
    };
    ((*action).to_owned(), vec![resource])
}

/// A role as AWS names it; and, for what asks whether there is one, as it does if its path is unknown.
fn roles(call: &str, name: &str) -> Vec<String> {
    let asks = call.starts_with("Get") || call == "ListAttachedRolePolicies";
    let paths = if asks { &["lamstream/shop/", ""][..] } else { &["lamstream/shop/"] };
    paths.iter().map(|path| format!("arn:aws:iam::{ACCOUNT}:role/{path}{name}")).collect()
}

fn with_more(action: &str, resources: Vec<String>, body: &str, json: &Value) -> Vec<Need> {
    let more = MORE.iter().filter(|more| more.of == action && body.contains(more.with));
    let more = more.flat_map(|more| {
        let resources = match more.action {
            "iam:PassRole" => vec![json["Role"].as_str().expect("a role").to_owned()],
            "lambda:GetLayerVersion" => {
                let layers = json["Layers"].as_array().expect("layers").iter();
                layers.map(|layer| layer.as_str().expect("a layer").to_owned()).collect()
            }
            other if other.starts_with("kms:") && action.starts_with("lambda:") => {
                vec![json["KMSKeyArn"].as_str().expect("a key").to_owned()]
            }
            other if other.starts_with("ec2:") || other.starts_with("elasticfilesystem:") => vec!["*".to_owned()],
            "kms:Decrypt" => {
                let region = resources[0].split(':').nth(3).expect("a region");
                vec![format!("arn:aws:kms:{region}:{ACCOUNT}:key/KEY")]
            }
            _ => resources.clone(),
        };
        resources.into_iter().map(|resource| Need { action: more.action.to_owned(), resource })
    });
    let own = resources.iter().map(|resource| Need { action: action.to_owned(), resource: resource.clone() });
    own.chain(more.collect::<Vec<_>>()).collect()
}
