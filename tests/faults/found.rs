//! All that a cloud holds, read by its API, without what no two runs have in common.

use crate::cloud::Cloud;
use crate::scenario::answer_of;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const FUNCTION: &str = "shop-chat";
const ROLE: &str = "lamstream-us-east-1-shop-chat";
const LOG_GROUP: &str = "/aws/lambda/shop-chat";
/// Another owner's statement on our alias.
const THEIRS: &str = "theirs";

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    /// What is ours, by the kinds of a plan; besides them whether the live release counts as `verified`, `latest`, the
    /// `versions` and all `other` that hangs on them.
    pub ours: BTreeMap<&'static str, Value>,
    /// Everything else, exactly as it is.
    pub theirs: Value,
    pub url: Option<String>,
    /// What the releases answer that have traffic.
    pub answers: BTreeSet<String>,
}

impl Found {
    pub(crate) fn on(cloud: &Cloud) -> Found {
        let mut theirs = Map::new();
        let mut ours = BTreeMap::new();
        let mut answers = BTreeSet::new();
        let url = functions(cloud, &mut ours, &mut theirs, &mut answers);
        roles(cloud, &mut ours, &mut theirs);
        log_groups(cloud, &mut ours, &mut theirs);
        Found { ours, theirs: Value::Object(theirs), url, answers }
    }

    /// Whether everything is as in `other`.
    pub(crate) fn is(&self, other: &Found) -> bool {
        (&self.ours, &self.theirs) == (&other.ours, &other.theirs)
    }

    /// Whether everything is as in `other`, except for additional versions.
    pub(crate) fn is_except_for_old_versions(&self, other: &Found) -> bool {
        let versions = |found: &Found| found.ours["versions"].as_array().cloned().unwrap_or_default();
        let mut mine = versions(self);
        let has_all = versions(other).iter().all(|version| {
            let at = mine.iter().position(|mine| mine == version);
            at.map(|at| mine.remove(at)).is_some()
        });
        let mut rest = self.clone();
        rest.ours.insert("versions", other.ours["versions"].clone());
        has_all && rest.is(other)
    }

    /// Whether everything is as in `other`, but that the live release does not count as verified.
    pub(crate) fn is_but_unverified(&self, other: &Found) -> bool {
        let mut rest = self.clone();
        rest.ours.insert("verified", other.ours["verified"].clone());
        self.ours["verified"] == false && rest.is(other)
    }

    /// What differs, for people.
    pub(crate) fn difference(&self, other: &Found) -> String {
        let mut lines = Vec::new();
        for (kind, value) in &self.ours {
            if value != &other.ours[kind] {
                lines.push(format!("{kind}: {value} instead of {}", other.ours[kind]));
            }
        }
        if self.theirs != other.theirs {
            lines.push(format!("of others: {} instead of {}", self.theirs, other.theirs));
        }
        lines.join("\n    ")
    }
}

fn functions(
    cloud: &Cloud,
    ours: &mut BTreeMap<&'static str, Value>,
    theirs: &mut Map<String, Value>,
    answers: &mut BTreeSet<String>,
) -> Option<String> {
    let list = cloud.lambda("/2015-03-31/functions/").unwrap();
    for function in list["Functions"].as_array().unwrap() {
        let name = function["FunctionName"].as_str().unwrap();
        if name != FUNCTION {
            theirs.insert(name.to_owned(), function.clone());
        }
    }
    for kind in ["function", "release", "url", "permission", "verified", "latest", "versions", "other"] {
        ours.insert(kind, Value::Null);
    }
    let found = cloud.lambda(&format!("/2015-03-31/functions/{FUNCTION}"))?;
    let get = |path: &str| cloud.lambda(&format!("/{path}")).unwrap_or(Value::Null);
    let versions = get(&format!("2015-03-31/functions/{FUNCTION}/versions"))["Versions"].clone();
    let versions = versions.as_array().unwrap();
    let version = |number: &str| versions.iter().find(|version| version["Version"] == number).map(content);
    // A version that failed is remembered in a tag, until another one is live.
    let tags = without(&found["Tags"], &["lamstream:failed", "lamstream:first-version"]);
    ours.insert("function", json!([tags, found["Concurrency"], found["Configuration"]["Description"]]));
    ours.insert("latest", content(&found["Configuration"]));
    let numbered = versions.iter().filter(|version| version["Version"] != "$LATEST");
    ours.insert("versions", numbered.map(content).collect());
    let aliases = get(&format!("2015-03-31/functions/{FUNCTION}/aliases"))["Aliases"].clone();
    if let Some(alias) = aliases.as_array().unwrap().first() {
        let description = alias["Description"].as_str().unwrap_or_default();
        let remembered = |key: &str| description.split(' ').find_map(|word| word.strip_prefix(key));
        let previous = remembered("previous=").map(version);
        let live = version(alias["FunctionVersion"].as_str().unwrap());
        let weights = alias["RoutingConfig"]["AdditionalVersionWeights"].as_object();
        let shifted: Vec<_> = weights.into_iter().flatten().map(|(number, part)| (version(number), part)).collect();
        answers.extend(live.iter().chain(shifted.iter().filter_map(|(version, _)| version.as_ref())).map(answer_of));
        let newest = weights.and_then(|weights| weights.keys().next()).map(String::as_str);
        let newest = newest.or(alias["FunctionVersion"].as_str()).unwrap();
        ours.insert("verified", json!(description.contains(&format!("verified={newest}:"))));
        ours.insert("release", json!([alias["Name"], live, previous, shifted]));
    }
    let urls = get(&format!("2021-10-31/functions/{FUNCTION}/urls"))["FunctionUrlConfigs"].clone();
    let url = urls.as_array().unwrap().first().map(|url| url["FunctionUrl"].as_str().unwrap().to_owned());
    if url.is_some() {
        ours.insert("url", without(&urls[0], &["FunctionUrl", "CreationTime", "LastModifiedTime"]));
    }
    permissions(&get(&format!("2015-03-31/functions/{FUNCTION}/policy?Qualifier=live")), ours, theirs);
    let policy = without(&get(&format!("2015-03-31/functions/{FUNCTION}/policy")), &["RevisionId"]);
    ours.insert("other", json!([aliases.as_array().unwrap().len(), urls.as_array().unwrap().len(), policy]));
    url
}

fn permissions(policy: &Value, ours: &mut BTreeMap<&'static str, Value>, theirs: &mut Map<String, Value>) {
    let Some(policy) = policy["Policy"].as_str() else { return };
    let policy: Value = serde_json::from_str(policy).unwrap();
    let (strangers, own): (Vec<Value>, Vec<Value>) =
        policy["Statement"].as_array().unwrap().iter().cloned().partition(|statement| statement["Sid"] == THEIRS);
    if !strangers.is_empty() {
        theirs.insert(THEIRS.to_owned(), strangers.into());
    }
    if !own.is_empty() {
        let by_sid: BTreeMap<String, Value> =
            own.into_iter().map(|statement| (statement["Sid"].to_string(), statement)).collect();
        ours.insert("permission", json!(by_sid));
    }
}

fn roles(cloud: &Cloud, ours: &mut BTreeMap<&'static str, Value>, theirs: &mut Map<String, Value>) {
    ours.insert("role", Value::Null);
    for name in elements(&cloud.iam("ListRoles", &[]), "RoleName") {
        let call = |action: &str| cloud.iam(action, &[("RoleName", &name)]);
        let inline = call("ListRolePolicies");
        let mut role = json!([cut(&call("GetRole")), cut(&inline), cut(&call("ListAttachedRolePolicies"))]);
        for policy in elements(&inline, "member") {
            let text = cloud.iam("GetRolePolicy", &[("RoleName", &name), ("PolicyName", &policy)]);
            role.as_array_mut().unwrap().push(cut(&text).into());
        }
        match name == ROLE {
            true => drop(ours.insert("role", role)),
            false => drop(theirs.insert(name, role)),
        }
    }
}

fn log_groups(cloud: &Cloud, ours: &mut BTreeMap<&'static str, Value>, theirs: &mut Map<String, Value>) {
    ours.insert("log_group", Value::Null);
    for group in cloud.logs("DescribeLogGroups", &json!({}))["logGroups"].as_array().unwrap() {
        let arn = group["arn"].as_str().unwrap().trim_end_matches(":*");
        let tags = cloud.logs("ListTagsForResource", &json!({ "resourceArn": arn }));
        match group["logGroupName"] == LOG_GROUP {
            true => {
                ours.insert("log_group", json!([without(group, &["creationTime", "storedBytes"]), tags]));
            }
            false => {
                theirs.insert(group["logGroupName"].to_string(), json!([group, tags]));
            }
        }
    }
}

/// A version's code and configuration.
fn content(version: &Value) -> Value {
    without(version, &["RevisionId", "LastModified", "Version", "FunctionArn", "MasterArn"])
}

fn without(value: &Value, names: &[&str]) -> Value {
    let mut value = value.clone();
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, _| !names.contains(&name.as_str()));
    }
    value
}

/// The texts of all elements of a name.
fn elements(xml: &str, name: &str) -> Vec<String> {
    let ends = format!("</{name}>");
    xml.split(&format!("<{name}>")).skip(1).filter_map(|rest| Some(rest.split_once(&ends)?.0.to_owned())).collect()
}

/// XML without the texts that are never twice the same.
fn cut(xml: &str) -> String {
    let mut xml = xml.to_owned();
    for name in ["RequestId", "RoleId", "CreateDate"] {
        for text in elements(&xml.clone(), name) {
            xml = xml.replace(&format!("<{name}>{text}</{name}>"), "");
        }
    }
    xml
}

/// Things of other people's beside ours, and a statement of theirs on our alias, if it is there.
pub(crate) fn plant_strangers(cloud: &Cloud, zip: &[u8]) {
    use base64::Engine as _;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    // As near to our names as others can come.
    let name = "lamstream-us-east-1-shop-chat-other";
    let fields = [("RoleName", name), ("Path", "/lamstream/shop/"), ("AssumeRolePolicyDocument", trust)];
    cloud.iam("CreateRole", &fields);
    let role = format!("arn:aws:iam::{}:role/lamstream/shop/{name}", localcloud::ACCOUNT);
    let zip = base64::engine::general_purpose::STANDARD.encode(zip);
    let function = json!({ "FunctionName": "shop-chat-other", "Role": role, "Runtime": "provided.al2023",
                           "Handler": "bootstrap", "Code": { "ZipFile": zip } });
    cloud.write("/2015-03-31/functions", &function);
    cloud.logs("CreateLogGroup", &json!({ "logGroupName": "/aws/lambda/shop-chat-other" }));
    if cloud.lambda(&format!("/2015-03-31/functions/{FUNCTION}/aliases/live")).is_some() {
        let statement = json!({ "StatementId": THEIRS, "Action": "lambda:InvokeFunction",
                                "Principal": "events.amazonaws.com" });
        cloud.write(&format!("/2015-03-31/functions/{FUNCTION}/policy?Qualifier=live"), &statement);
    }
}
