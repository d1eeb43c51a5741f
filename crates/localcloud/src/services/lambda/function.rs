//! Functions: created, read, updated, deleted.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, by_version, page};
use super::check::is_name;
use super::code::Upload;
use super::name::{Name, is_number, is_visible};
use super::settings::Settings;
use super::{tags, version};
use crate::clock::{self, millis};
use crate::services::call::Call;
use crate::services::download;
use crate::wire::error::Fault;
use crate::world::function::Function;
use crate::world::tags::Tags;
use crate::world::version::{LATEST, Version};
use crate::world::{World, revision};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    function_name: String,
    code: Upload,
    #[serde(default)]
    publish: bool,
    #[serde(default)]
    tags: Tags,
    architectures: Option<Vec<String>>,
    package_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateCode {
    #[serde(default)]
    publish: bool,
    #[serde(default)]
    dry_run: bool,
    revision_id: Option<String>,
    architectures: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Guard {
    revision_id: Option<String>,
}

fn architecture(given: Option<&[String]>) -> Result<Option<String>, Fault> {
    match given {
        None | Some([]) => Ok(None),
        Some([one]) if one == "x86_64" || one == "arm64" => Ok(Some(one.clone())),
        Some(other) => {
            let constraint = match other {
                [_] => {
                    "Member must satisfy constraint: \
                        [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]"
                }
                _ => "Member must have length less than or equal to 1",
            };
            Err(Fault::validation(&format!("[{}]", other.join(", ")), "architectures", constraint))
        }
    }
}

fn check_role(world: &World, arn: &str) -> Result<(), Fault> {
    if world.role_by_arn(arn).is_some_and(|role| role.assumable(clock::now())) {
        return Ok(());
    }
    Err(Fault::parameter("The role defined for the function cannot be assumed by Lambda."))
}

pub(super) fn create(call: &Call) -> Answer {
    let input: Create = call.input()?;
    let settings = Settings::read(call)?;
    let name = Name::read_new(call, &input.function_name)?.function;
    if input.package_type.as_deref().is_some_and(|kind| kind != "Zip") {
        return Err(Fault::parameter("the local cloud runs zips, not images"));
    }
    if settings.role.is_none() {
        return Err(Fault::absent("role"));
    }
    let architecture = architecture(input.architectures.as_deref())?.unwrap_or_else(|| "x86_64".into());
    tags::check(&input.tags)?;
    let configuration = settings.begin(&name)?;
    // AWS checks the name before the zip. The zip is unpacked before the change begins, since that takes long.
    call.read(|world| expect_free(call, world, &name))?;
    let code = input.code.receive(call)?;
    call.change(|world| {
        check_role(world, &configuration.role)?;
        expect_free(call, world, &name)?;
        let now = clock::now();
        let mut function = Function {
            name: name.clone(),
            region: call.region.clone(),
            created: now,
            latest: Version::latest(configuration, code, architecture, (now, now + millis(call.options().pending))),
            versions: Default::default(),
            next_version: 1,
            published: None,
            aliases: Default::default(),
            urls: Default::default(),
            policies: Default::default(),
            tags: input.tags,
            reserved: None,
            provisioned: Default::default(),
            recursive_loop: None,
            runtime_updates: Default::default(),
            event_invoke: Default::default(),
        };
        let shown = if input.publish {
            let pending = version::pending(call, &function, Some(now + millis(call.options().pending)));
            let times = version::Times { pending, visible: now };
            let number = version::freeze(&mut function, None, times);
            // The version, under the function's own ARN.
            function.resolve(&number.to_string())?.describe(&name, &function.arn(""))
        } else {
            function.describe("")?
        };
        world.region(&call.region).functions.insert(name.clone(), function);
        Ok((201, Value::Object(shown)))
    })
}

fn expect_free(call: &Call, world: &World, name: &str) -> Result<(), Fault> {
    let taken = world.regions.get(&call.region).is_some_and(|region| region.functions.contains_key(name));
    if taken { Err(Fault::conflict(format!("Function already exist: {name}"))) } else { Ok(()) }
}

pub(super) fn get(call: &Call, name: &Name) -> Answer {
    let qualifier = name.qualifier.clone();
    name.look(call, |function| {
        let version = function.found(&qualifier)?;
        let mut shown = json!({
            "Configuration": function.describe(&qualifier)?,
            "Code": {"RepositoryType": "S3", "Location": download::address(call, &version.code.digest)},
        });
        if !function.tags.is_empty() {
            shown["Tags"] = json!(function.tags);
        }
        if let Some(reserved) = function.reserved {
            shown["Concurrency"] = json!({"ReservedConcurrentExecutions": reserved});
        }
        Ok((200, shown))
    })
}

pub(super) fn get_configuration(call: &Call, name: &Name) -> Answer {
    let qualifier = name.qualifier.clone();
    name.look(call, |function| {
        function.found(&qualifier)?;
        Ok((200, Value::Object(function.describe(&qualifier)?)))
    })
}

pub(super) fn list(call: &Call) -> Answer {
    let which = call.query("FunctionVersion");
    if let Some(other) = which.as_deref().filter(|which| *which != "ALL") {
        return Err(Fault::validation(other, "functionVersion", "Member must satisfy enum value set: [ALL]"));
    }
    let all = which.is_some();
    let shown = |function: &Function| -> Vec<Value> {
        let numbers = function.versions.keys().filter(|_| all).map(u64::to_string);
        let arns = std::iter::once(LATEST.to_owned()).chain(numbers);
        arns.filter_map(|number| {
            let qualifier = if number == LATEST && !all { "" } else { &number };
            let version = function.version(&number)?;
            Some(Value::Object(version.listed(&function.name, &function.arn(qualifier))))
        })
        .collect()
    };
    let functions = call.read(|world| {
        let functions = world.regions.get(&call.region).into_iter().flat_map(|region| region.functions.values());
        functions.filter(|function| is_visible(call, function)).flat_map(shown).collect()
    });
    page(call, "Functions", functions, |item| {
        format!("{} {}", item["FunctionName"].as_str().unwrap_or_default(), by_version(item))
    })
}

pub(super) fn update_configuration(call: &Call, name: &Name) -> Answer {
    let guard: Guard = call.input()?;
    let settings = Settings::read(call)?;
    call.change(|world| {
        let function = name.find(call, world)?;
        function.expect_revision(guard.revision_id.as_deref())?;
        function.expect_settled()?;
        let mut configuration = function.latest.configuration.clone();
        settings.apply(&name.function, &mut configuration)?;
        check_role(world, &configuration.role)?;
        let function =
            world.region(&call.region).functions.get_mut(&name.function).ok_or_else(|| name.missing(call, ""))?;
        touch(call, function);
        function.latest.config_sha256 = configuration.digest();
        function.latest.configuration = configuration;
        Ok((200, Value::Object(function.describe("")?)))
    })
}

pub(super) fn update_code(call: &Call, name: &Name) -> Answer {
    let input: UpdateCode = call.input()?;
    let upload: Upload = call.input()?;
    let architecture = architecture(input.architectures.as_deref())?;
    let ready = |function: &Function| {
        function.expect_revision(input.revision_id.as_deref())?;
        function.expect_settled()
    };
    name.look(call, ready)?;
    let code = upload.receive(call)?;
    if input.dry_run {
        return name.look(call, |function| {
            let mut would = function.clone();
            would.latest.code = code;
            Ok((200, Value::Object(would.describe("")?)))
        });
    }
    name.change(call, |function| {
        ready(function)?;
        touch(call, function);
        function.latest.code = code;
        if let Some(architecture) = architecture {
            function.latest.architecture = architecture;
        }
        if input.publish {
            let pending = version::pending(call, function, Some(clock::after(call.options().pending)));
            let times = version::Times { pending, visible: version::visible(call) };
            let number = version::freeze(function, None, times);
            return Ok((200, Value::Object(function.describe(&number.to_string())?)));
        }
        Ok((200, Value::Object(function.describe("")?)))
    })
}

/// Begins a change of `$LATEST`: a new revision, time and build, and an update in progress.
fn touch(call: &Call, function: &mut Function) {
    let now = clock::now();
    function.latest.begin_update(now + millis(call.options().update));
    function.latest.revision = revision::fresh();
    function.latest.build = revision::fresh();
    function.latest.modified = now;
}

pub(super) fn delete(call: &Call, name: &Name) -> Answer {
    let qualifier = name.qualifier.clone();
    if qualifier.is_empty() {
        return call.change(|world| {
            name.find(call, world)?;
            let removed = world.region(&call.region).functions.remove(&name.function);
            removed.map(|_| (204, Value::Null)).ok_or_else(|| name.missing(call, ""))
        });
    }
    // Both errors come before the one for a function that does not exist.
    if qualifier == LATEST {
        return Err(Fault::parameter("$LATEST version cannot be deleted without deleting the function."));
    }
    if is_name(&qualifier, 128) && !is_number(&qualifier) {
        return Err(Fault::parameter("Deletion of aliases is not currently supported."));
    }
    let whole = Name { function: name.function.clone(), qualifier: String::new() };
    whole.change(call, |function| {
        let points = |alias: &&crate::world::function::Alias| {
            alias.version == qualifier || alias.weights.contains_key(&qualifier)
        };
        if let Some(alias) = function.aliases.values().find(points) {
            let arn = function.arn(&qualifier);
            return Err(Fault::conflict(format!("Function version {arn} is referenced by alias [{}]", alias.name)));
        }
        // On AWS, it is not an error if the version does not exist.
        if let Ok(number) = qualifier.parse() {
            function.versions.remove(&number);
            function.policies.remove(&qualifier);
        }
        Ok((204, Value::Null))
    })
}
