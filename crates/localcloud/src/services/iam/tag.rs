//! Tags of roles.

use serde_json::{Value, json};

use super::check::invalid;
use super::lookup::{change, read};
use super::page::page;
use crate::services::call::Call;
use crate::services::form::Form;
use crate::services::paging::member;
use crate::wire::error::Fault;
use crate::world::tags::Tags;

/// The `Tags` of a form.
pub(super) fn given(form: &Form) -> Result<Tags, Fault> {
    let keys = form.members("Tags", ".Key");
    let values = form.members("Tags", ".Value");
    if keys.len() != values.len() {
        return Err(invalid("every tag needs a key and a value"));
    }
    let tags: Tags = keys.into_iter().zip(values).collect();
    check(&tags)?;
    Ok(tags)
}

fn check(tags: &Tags) -> Result<(), Fault> {
    if tags.len() > 50 {
        return Err(Fault::new(409, "LimitExceeded", "The number of tags has reached the maximum limit of 50."));
    }
    match tags
        .iter()
        .find(|(key, value)| key.is_empty() || key.len() > 128 || value.len() > 256 || key.starts_with("aws:"))
    {
        Some((key, _)) => Err(invalid(format!("the tag `{key}` is not valid"))),
        None => Ok(()),
    }
}

/// The members of a list of tags.
pub(super) fn describe(tags: &Tags) -> Vec<Value> {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

pub(super) fn add(call: &Call, form: &Form) -> Result<Value, Fault> {
    let tags = given(form)?;
    change(call, form, |role| {
        let mut all = role.tags.clone();
        all.extend(tags);
        check(&all)?;
        role.tags = all;
        Ok(Value::Null)
    })
}

pub(super) fn remove(call: &Call, form: &Form) -> Result<Value, Fault> {
    change(call, form, |role| {
        for key in form.members("TagKeys", "") {
            role.tags.remove(&key);
        }
        Ok(Value::Null)
    })
}

pub(super) fn list(call: &Call, form: &Form) -> Result<Value, Fault> {
    let tags = read(call, form, |role| Ok(describe(&role.tags)))?;
    page(form, "Tags", tags, member("Key"))
}
