//! Deletes what a run has made, and what earlier runs left behind because they were killed.

use crate::facts::{accepted, answer};
use crate::live::RAW;
use crate::place::{Place, Signature, app_of};
use anyhow::{Result, bail, ensure};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// A role that no function uses.
pub(crate) const PLAIN: &str = "plain";

/// A run that is older than this has ended: its own time limit is shorter.
const OLD: Duration = Duration::from_secs(2 * 60 * 60);

pub(crate) fn role_name(place: &Place, role: &str) -> String {
    place.name(role)
}

pub(crate) fn role_arn(place: &Place, role: &str) -> String {
    let (partition, app) = (place.partition(), &place.app);
    format!("arn:{partition}:iam::{}:role/lamstream/{app}/{}", place.account, role_name(place, role))
}

pub(crate) fn bucket(place: &Place) -> String {
    place.name("bucket")
}

pub(crate) fn parameter(place: &Place) -> String {
    format!("/{}/parameter", place.app)
}

pub(crate) fn secret(place: &Place) -> String {
    format!("{}/secret", place.app)
}

/// Creates a role that Lambda may assume, and that allows nothing.
///
/// # Errors
/// If it cannot be created.
pub(crate) async fn make_role(place: &Place, role: &str) -> Result<()> {
    let create = place.iam.create_role().role_name(role_name(place, role)).assume_role_policy_document(TRUST);
    let tag = aws_sdk_iam::types::Tag::builder().key("lamstream-live").value(&place.app).build()?;
    accepted(create.path(format!("/lamstream/{}/", place.app)).tags(tag).send().await).map(drop)
}

impl Place {
    /// Deletes everything of one run, which may be there or not.
    ///
    /// # Errors
    /// If something of it may still be there.
    pub(crate) async fn clean(&self) -> Result<()> {
        let mut problems: Vec<String> = Vec::new();
        // The roles are deleted last, so that a run that is killed here is found by them.
        problems.extend(self.empty_stores().await.err().map(|error| format!("{error:#}")));
        self.bench.write("deploy.toml", &crate::story::manifest(&self.app, true, None));
        let destroyed = self.lamstream(&["destroy", "--yes"]).await?;
        if !destroyed.status.success() {
            problems.push(crate::support::bench::said(&destroyed));
        }
        problems.extend(self.delete_raw().await.err().map(|error| format!("{error:#}")));
        ensure!(problems.is_empty(), "{}", problems.join("; "));
        Ok(())
    }

    async fn empty_stores(&self) -> Result<()> {
        let url = format!("{}{}", self.endpoint("s3"), bucket(self));
        for address in [format!("{url}/object"), url] {
            let reply = self.signed(Signature::of("s3"), "DELETE", &address, &[], b"").await?;
            ensure!([204, 404].contains(&reply.status), "the bucket cannot be deleted: {}", reply.body);
        }
        let parameter = json!({ "Name": parameter(self) });
        let secret = json!({ "SecretId": secret(self), "ForceDeleteWithoutRecovery": true });
        let calls = [
            ("ssm", "AmazonSSM.DeleteParameter", parameter),
            ("secretsmanager", "secretsmanager.DeleteSecret", secret),
        ];
        for (service, target, body) in calls {
            let reply = self.json(Signature::of(service), target, &body).await?;
            let is_gone = reply.status == 200 || reply.body.contains("NotFound");
            ensure!(is_gone, "{target}: {}", reply.body);
        }
        Ok(())
    }

    /// Deletes the function and the roles that raw calls made.
    async fn delete_raw(&self) -> Result<()> {
        let function = self.name(RAW);
        let missing = |code: &str| code == "ResourceNotFoundException" || code.starts_with("NoSuchEntity");
        // A URL whose alias was deleted is not deleted with its function.
        let url = self.lambda.delete_function_url_config().function_name(&function).qualifier("gone");
        let url = answer(url.send().await)?.err();
        // On AWS its role does not allow it to create a log group, and in the local cloud roles allow everything.
        let group = self.logs.delete_log_group().log_group_name(format!("/aws/lambda/{function}"));
        let function = answer(self.lambda.delete_function().function_name(&function).send().await)?.err();
        let group = answer(group.send().await)?.err();
        for role in [RAW, PLAIN] {
            let role = role_name(self, role);
            let listed = answer(self.iam.list_role_policies().role_name(&role).send().await)?;
            for policy in listed.map(|listed| listed.policy_names).unwrap_or_default() {
                accepted(self.iam.delete_role_policy().role_name(&role).policy_name(policy).send().await)?;
            }
            let deleted = crate::place::until(Duration::from_secs(60), || async {
                let outcome = answer(self.iam.delete_role().role_name(&role).send().await)?;
                let is_busy = outcome.as_ref().is_err_and(|refusal| refusal.code.starts_with("DeleteConflict"));
                Ok((!is_busy).then_some(outcome.err()))
            });
            match deleted.await? {
                Some((None, _)) => {}
                Some((Some(refusal), _)) if missing(&refusal.code) => {}
                Some((Some(refusal), _)) => bail!("role {role}: {refusal}"),
                None => bail!("role {role} cannot be deleted"),
            }
        }
        for refusal in [url, function, group].into_iter().flatten() {
            ensure!(missing(&refusal.code), "{refusal}");
        }
        Ok(())
    }

    /// Everything in the account whose name a run of this suite has chosen, by its app.
    ///
    /// # Errors
    /// If the account cannot be searched.
    pub(crate) async fn found(&self) -> Result<BTreeMap<String, (SystemTime, Vec<String>)>> {
        let mut names = Vec::new();
        let mut functions = self.lambda.list_functions().into_paginator().items().send();
        while let Some(function) = functions.next().await {
            names.extend(function?.function_name.map(|name| format!("function {name}")));
        }
        let mut roles = self.iam.list_roles().path_prefix("/lamstream/").into_paginator().items().send();
        while let Some(role) = roles.next().await {
            names.push(format!("role {}", role?.role_name));
        }
        let groups =
            self.logs.describe_log_groups().log_group_name_prefix(format!("/aws/lambda/{}", crate::place::PREFIX));
        let mut groups = groups.into_paginator().items().send();
        while let Some(group) = groups.next().await {
            names.extend(group?.log_group_name.map(|name| format!("log group {name}")));
        }
        let mut apps: BTreeMap<String, (SystemTime, Vec<String>)> = BTreeMap::new();
        for name in names {
            if let Some((app, began)) = app_of(&name) {
                apps.entry(app).or_insert_with(|| (began, Vec::new())).1.push(name);
            }
        }
        Ok(apps)
    }

    /// Deletes what runs left behind that began long ago, and gives their apps.
    ///
    /// # Errors
    /// If the account cannot be searched, or something cannot be deleted.
    pub(crate) async fn sweep(&mut self) -> Result<Vec<String>> {
        let own = self.app.clone();
        let mut swept = Vec::new();
        for (app, (began, _)) in self.found().await? {
            if app != own && began.elapsed().is_ok_and(|age| age > OLD) {
                self.app.clone_from(&app);
                let cleaned = self.clean().await;
                self.app.clone_from(&own);
                cleaned?;
                swept.push(app);
            }
        }
        Ok(swept)
    }

    /// What of this run is still there.
    ///
    /// # Errors
    /// If the account cannot be searched.
    pub(crate) async fn left(&self) -> Result<Vec<String>> {
        Ok(self.found().await?.remove(&self.app).map(|(_, names)| names).unwrap_or_default())
    }
}
