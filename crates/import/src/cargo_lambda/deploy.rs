//! `deploy`: how the function is configured.

use super::settings::{Setting, Settings};
use super::writer::Writer;
use crate::draft;

/// What `cargo lambda deploy` gives a function that does not say.
const TIMEOUT: i64 = 30;

/// Keys that lamstream decides itself, or that only concern one run.
const NOT_NEEDED: [&str; 7] =
    ["lambda_dir", "manifest_path", "output_format", "dry", "s3_key", "retry_attempts", "compatible_runtimes"];

pub(crate) fn read(writer: &mut Writer<'_>, settings: &mut Settings) {
    writer.text_key("description", settings.take("deploy", "description"));
    writer.number_key("memory", settings.take("deploy", "memory"), 128..=10_240);
    match settings.take("deploy", "timeout") {
        Some(timeout) => writer.number_key("timeout", Some(timeout), 1..=1800),
        None => {
            writer.comment("cargo lambda's default. A stream must end by then.");
            writer.key("timeout", TIMEOUT);
        }
    }
    tracing(writer, settings.take("deploy", "tracing"));
    runtime(writer, settings.take("deploy", "runtime"));
    writer.texts_key("layers", settings.take("deploy", "layer"));
    network(writer, settings);
    url(writer, settings);
    writer.within("log").number_key("retention_days", settings.take("deploy", "log_retention"), 1..=3653);
    writer.within("role").text_key("arn", settings.take("deploy", "role"));
    tags(&mut writer.within("tags"), settings.take("deploy", "tag"));
    place(writer, settings);
    environment_on_aws(writer, settings.take("deploy", "merge_env"));
}

/// Reports what cargo-lambda reads and lamstream has no use for.
pub(crate) fn not_needed(settings: &mut Settings) -> Vec<String> {
    NOT_NEEDED.iter().filter_map(|key| settings.take("deploy", key)).map(|setting| setting.path).collect()
}

fn tracing(writer: &mut Writer<'_>, setting: Option<Setting>) {
    let Some(setting) = setting else { return };
    match setting.text().unwrap_or_default().to_lowercase().as_str() {
        "active" => writer.key("tracing", "active"),
        "passthrough" => writer.key("tracing", "pass-through"),
        _ => writer.unexpected(&setting, "`active` or `passthrough`"),
    }
}

fn runtime(writer: &mut Writer<'_>, setting: Option<Setting>) {
    let Some(setting) = setting else { return };
    match setting.text().unwrap_or_default().as_str() {
        "provided.al2023" => {}
        "provided.al2" => {
            let what = "lamstream runs a crate on `provided.al2023`, the newer of the two";
            writer.left(setting.left(what, "nothing to do, unless a layer needs the old one", false));
        }
        _ => writer.left(setting.left(
            "lamstream runs a crate on `provided.al2023`",
            "check that the function does not need another runtime",
            true,
        )),
    }
}

fn network(writer: &mut Writer<'_>, settings: &mut Settings) {
    let mut take = |key: &str| settings.take("deploy", &format!("vpc.{key}"));
    let (subnets, groups, ipv6) = (take("subnet_ids"), take("security_group_ids"), take("ipv6_allowed_for_dual_stack"));
    if subnets.is_none() && groups.is_none() && ipv6.is_none() {
        return;
    }
    let mut writer = writer.within("vpc");
    writer.texts_key("subnets", subnets);
    writer.texts_key("security_groups", groups);
    if ipv6.is_some_and(|ipv6| ipv6.is_true()) {
        writer.key("ipv6", true);
    }
}

fn url(writer: &mut Writer<'_>, settings: &mut Settings) {
    let is_on = settings.take("deploy", "enable_function_url").is_some_and(|setting| setting.is_true());
    let is_off = settings.take("deploy", "disable_function_url").is_some_and(|setting| setting.is_true());
    if !is_on || is_off {
        writer.comment("No URL, as with cargo lambda. Uncomment this line to add a public one:");
        writer.disabled_key("url", draft::table([("auth", toml::Value::from("none"))]));
        return;
    }
    let mut writer = writer.within("url");
    writer.key("auth", "none");
    writer.comment("cargo lambda's URLs are buffered. Delete this line if the handler streams its response.");
    writer.key("mode", "buffered");
}

fn tags(writer: &mut Writer<'_>, setting: Option<Setting>) {
    let Some(setting) = setting else { return };
    let Some(pairs) = setting.pairs() else {
        return writer.unexpected(&setting, "a table, or a list of `NAME=VALUE`");
    };
    for (name, value) in pairs {
        let lower = name.to_lowercase();
        let is_allowed = |text: &str| text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c));
        if lower.starts_with("aws:") || lower.starts_with("lamstream:") || !is_allowed(&name) || !is_allowed(&value) {
            let what = format!("`{name}` is not a valid tag");
            writer.left(setting.left(what, "choose another name, or use other characters", false));
        } else {
            writer.key(&name, value);
        }
    }
}

/// Where the function is deployed.
fn place(writer: &mut Writer<'_>, settings: &mut Settings) {
    if let Some(setting) = settings.take("deploy", "region") {
        // An option takes precedence, and has been written already.
        match setting.text() {
            Some(region) if writer.options.region.is_none() => writer.shared_key("region", &setting, region),
            Some(_) => {}
            None => writer.unexpected(&setting, "the name of a region"),
        }
    }
    if let Some(setting) = settings.take("deploy", "s3_bucket") {
        match setting.text() {
            Some(bucket) => writer.shared_key("artifact_bucket", &setting, bucket),
            None => writer.unexpected(&setting, "the name of a bucket"),
        }
    }
    if let Some(setting) = settings.take("deploy", "profile") {
        let name = setting.text().unwrap_or_default();
        let what = "a manifest does not choose the credentials";
        writer.left(setting.left(what, format!("run lamstream with `--profile {name}`"), false));
    }
    if let Some(setting) = settings.take("deploy", "endpoint_url") {
        let what = "a manifest does not choose the endpoint";
        writer.left(setting.left(what, "set AWS_ENDPOINT_URL, or use `--local`", false));
    }
    if let Some(setting) = settings.take("deploy", "alias").filter(|setting| setting.text().as_deref() != Some("live"))
    {
        let what = "lamstream's alias is called `live`";
        writer.left(setting.left(what, "update whatever calls the function by another alias", false));
    }
}

fn environment_on_aws(writer: &mut Writer<'_>, setting: Option<Setting>) {
    if let Some(setting) = setting.filter(Setting::is_true) {
        let what = "lamstream sets the whole environment, and keeps no variable that exists only on AWS";
        writer.left(setting.left(what, "list here the variables that were set on AWS", true));
    }
}
