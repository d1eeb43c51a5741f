//! IAM, on a role of its own that no function uses.

use super::{Fact, accepted, facts, refused};
use crate::live::Live;
use crate::report::{Seen, seen};
use crate::sweep::{PLAIN, TRUST, make_role, role_name};
use anyhow::Result;
use serde_json::json;

pub(super) const FACTS: &[Fact] = facts! {
    Everywhere "role-readable" "A new role can be read immediately" readable;
    Everywhere "role-name-case" "Role names are unique regardless of case" name_case;
    Everywhere "role-policy-size" "All inline policies of a role together have at most 10,240 characters" policy_size;
    Everywhere "role-delete" "A role with policies cannot be deleted" delete;
};

async fn readable(live: &Live<'_>) -> Result<Seen> {
    make_role(live.place, PLAIN).await?;
    let found = super::answer(live.place.iam.get_role().role_name(role_name(live.place, PLAIN)).send().await)?;
    seen(found.is_ok(), found.map_or_else(|refusal| refusal.to_string(), |_| "found".to_owned()))
}

async fn name_case(live: &Live<'_>) -> Result<Seen> {
    let create = live.place.iam.create_role().role_name(role_name(live.place, PLAIN).to_uppercase());
    let path = format!("/lamstream/{}/", live.place.app);
    let said = refused(create.path(path).assume_role_policy_document(TRUST).send().await)?;
    seen(said.status == 409 && said.code == "EntityAlreadyExists", said.to_string())
}

/// Writes an inline policy of about so many characters.
async fn put(live: &Live<'_>, name: &str, characters: usize) -> Result<Result<(), super::Refusal>> {
    let resource = format!("arn:aws:s3:::{}", "r".repeat(characters));
    let statement = json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": resource });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    let put = live.place.iam.put_role_policy().role_name(role_name(live.place, PLAIN)).policy_name(name);
    Ok(super::answer(put.policy_document(document).send().await)?.map(drop))
}

async fn policy_size(live: &Live<'_>) -> Result<Seen> {
    let first = put(live, "first", 6000).await?;
    let second = put(live, "second", 6000).await?;
    let text = second.as_ref().err().map_or("accepted".to_owned(), ToString::to_string);
    let words = format!("Maximum policy size of 10240 bytes exceeded for role {}", role_name(live.place, PLAIN));
    let holds = second.is_err_and(|said| said.code.starts_with("LimitExceeded") && said.message == words);
    seen(first.is_ok() && holds, text)
}

async fn delete(live: &Live<'_>) -> Result<Seen> {
    accepted(live.place.iam.get_role().role_name(role_name(live.place, PLAIN)).send().await)?;
    let said = refused(live.place.iam.delete_role().role_name(role_name(live.place, PLAIN)).send().await)?;
    seen(said.status == 409 && said.code.starts_with("DeleteConflict"), said.to_string())
}
