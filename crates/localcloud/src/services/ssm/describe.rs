//! DescribeParameters: what is stored, without values.

use serde::Deserialize;
use serde_json::{Value, json};

use super::invalid;
use crate::services::call::Call;
use crate::services::paging::{member, page};
use crate::wire::error::Fault;
use crate::world::parameter::{Parameter, arn};

/// How many parameters one page has at most.
const MOST: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    #[serde(default)]
    parameter_filters: Vec<Filter>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: String,
    option: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

pub(super) fn describe(call: &Call) -> Result<Value, Fault> {
    let Describe { parameter_filters: filters, max_results, next_token } = call.input()?;
    let most = max_results.unwrap_or(MOST);
    if !(1..=MOST).contains(&most) {
        let bound = if most < 1 { "greater than or equal to 1" } else { "less than or equal to 50" };
        let constraint = format!("Member must have value {bound}");
        return Err(Fault::validation(&most.to_string(), "maxResults", &constraint));
    }
    filters.iter().try_for_each(Filter::check)?;
    let found = call.read(|world| {
        let parameters = world.regions.get(&call.region).map(|region| &region.parameters);
        let all = parameters.into_iter().flatten();
        let fits =
            |(name, parameter): &(&String, &Parameter)| filters.iter().all(|filter| filter.fits(name, parameter));
        all.filter(fits).map(|(name, parameter)| described(call, name, parameter)).collect::<Vec<_>>()
    });
    let refused = || Fault::new(400, "InvalidNextToken", "The specified token isn't valid.");
    let (parameters, next) = page(found, member("Name"), next_token.as_deref(), most).ok_or_else(refused)?;
    let mut answer = json!({"Parameters": parameters});
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

fn described(call: &Call, name: &str, parameter: &Parameter) -> Value {
    let latest = parameter.versions.last();
    let mut described = json!({
        "Name": name,
        "ARN": arn(&call.region, name),
        "Type": parameter.kind,
        "LastModifiedDate": latest.map(|version| version.written as f64 / 1000.0),
        "Version": latest.map(|version| version.number),
        "Tier": "Standard",
        "Policies": [],
        "DataType": "text",
    });
    if let Some(user) = latest.and_then(|version| version.user.as_ref()) {
        described["LastModifiedUser"] = json!(user);
    }
    if let Some(description) = &parameter.description {
        described["Description"] = json!(description);
    }
    if parameter.kind == "SecureString" {
        described["KeyId"] = json!("alias/aws/ssm");
    }
    described
}

impl Filter {
    fn check(&self) -> Result<(), Fault> {
        let options: &[&str] = match self.key.as_str() {
            "Name" => &["Equals", "BeginsWith", "Contains"],
            "Path" => &["OneLevel", "Recursive"],
            "Type" => &["Equals"],
            other => {
                let message = format!(
                    "The following filter key is not valid: {other}. Valid filter keys include: [Path, Name, Type]."
                );
                return Err(Fault::new(400, "InvalidFilterKey", message));
            }
        };
        if let Some(option) = self.option.as_deref().filter(|option| !options.contains(option)) {
            let message = format!(
                "The following filter option is not valid: {option}. Valid options include: [{}].",
                options.join(", ")
            );
            return Err(Fault::new(400, "InvalidFilterOption", message));
        }
        if self.values.is_empty() {
            let message = format!("The following filter values are missing : null for filter key {}", self.key);
            return Err(Fault::new(400, "InvalidFilterValue", message));
        }
        match self.values.iter().find(|value| self.key == "Path" && !value.starts_with('/')) {
            Some(_) => Err(invalid(
                "The parameter doesn't meet the parameter name requirements. The parameter name must \
                 begin with a forward slash \"/\".",
            )),
            None => Ok(()),
        }
    }

    fn fits(&self, name: &str, parameter: &Parameter) -> bool {
        let fits = |value: &String| match (self.key.as_str(), self.option.as_deref()) {
            ("Type", _) => parameter.kind == *value,
            ("Path", option) => {
                let below = name.strip_prefix(value.trim_end_matches('/')).and_then(|rest| rest.strip_prefix('/'));
                below.is_some_and(|rest| option == Some("Recursive") || !rest.contains('/'))
            }
            (_, Some("BeginsWith")) => name.starts_with(value.as_str()),
            (_, Some("Contains")) => name.contains(value.as_str()),
            (_, _) => name == value,
        };
        self.values.iter().any(fits)
    }
}
