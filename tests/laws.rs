//! The algebra of plans, over random stacks: what must hold for every deploy, whatever it changes.

mod support;

use lamstream::apply::{Applied, ApplyError, Delivery, Event, NoTrial, Observer, apply};
use lamstream::plan::{Action, Change, Group, Plan, ResourceKind, plan};
use lamstream::stack::*;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Mutex;
use support::memory::{Memory, no_one};
use tokio_util::sync::CancellationToken;

fn names() -> Names {
    Names {
        app: "app".into(),
        stage: None,
        function: "chat".into(),
        region: "eu-central-1".into(),
        account: "123456789012".into(),
        log_group: None,
    }
}

fn tags() -> impl Strategy<Value = Tags> {
    prop::option::of("[ab]").prop_map(|team| {
        let mut tags = names().owner_tags();
        team.into_iter().for_each(|team| tags.insert("team", team));
        tags
    })
}

fn log_group() -> impl Strategy<Value = LogGroup> {
    (prop::option::of(1..3u32), tags()).prop_map(|(retention_days, tags)| LogGroup { retention_days, tags })
}

fn role() -> impl Strategy<Value = Role> {
    let statements = prop::collection::btree_set("[abc]", 0..3);
    let managed = prop::collection::btree_set("[xyz]", 0..3);
    (statements, managed, prop::option::of("[pq]"), tags()).prop_map(|(actions, managed_policies, boundary, tags)| {
        let statement = |action: &String| Statement::new(&serde_json::json!({ "Effect": "Allow", "Action": action }));
        let mut statements: BTreeSet<Statement> = actions.iter().map(statement).collect();
        statements.insert(Statement::may_write_logs(&names()));
        Role {
            trust: BTreeSet::from([Statement::lambda_may_assume()]),
            other_policies: managed_policies.iter().map(|name| name.to_uppercase()).collect(),
            statements,
            managed_policies,
            permissions_boundary: boundary,
            tags,
        }
    })
}

fn function() -> impl Strategy<Value = Function> {
    ("[de]?", prop::option::of(0..2u32), tags()).prop_map(|(description, concurrency, tags)| Function {
        description,
        concurrency,
        tags,
    })
}

fn url() -> impl Strategy<Value = FunctionUrl> {
    let auth = prop::sample::select(vec![Auth::None, Auth::AwsIam]);
    let mode = prop::sample::select(vec![InvokeMode::ResponseStream, InvokeMode::Buffered]);
    let cors = prop::option::of(prop::option::of(0..9u32).prop_map(|max_age| Cors { max_age, ..Cors::default() }));
    (auth, mode, cors).prop_map(|(auth, mode, cors)| FunctionUrl { auth, mode, cors })
}

fn release() -> impl Strategy<Value = Release> {
    let parts = ("[cd]", 128..130u32, prop::option::of("[st]"), prop::option::of("[kl]"));
    parts.prop_map(|(code, memory, secret, key)| Release {
        code: Some(code),
        configuration: Configuration {
            role_arn: names().role_arn(),
            architecture: Architecture::Arm64,
            runtime: "provided.al2023".into(),
            handler: "bootstrap".into(),
            settings: Settings { memory, timeout: 60, ..Settings::default() },
            layers: Vec::new(),
            environment: secret.into_iter().map(|value| ("KEY".to_owned(), Secret::new(value))).collect(),
            undecryptable: None,
            logging: Logging::Text,
            log_group: names().log_group(),
            attachments: Box::new(Attachments { kms_key: key, ..Attachments::default() }),
        },
    })
}

/// A whole stack, as a manifest would want it.
fn wanted() -> impl Strategy<Value = Stack> {
    let (role, url, provisioned) = (
        prop::option::weighted(0.8, role()),
        prop::option::of(url()),
        prop::option::of((1..3u32).prop_map(Provisioned)),
    );
    let parts = (log_group(), role, function(), release(), url, provisioned);
    parts.prop_map(|(log_group, role, function, mut release, url, provisioned)| {
        if role.is_none() {
            release.configuration.role_arn = "arn:aws:iam::123456789012:role/brought-along".into();
        }
        let public = url.as_ref().is_some_and(|url| url.auth == Auth::None);
        let permissions = Permission::ALL.into_iter().filter(|_| public).collect();
        let (log_group, function, live) = (Some(log_group), Some(function), Some(release.into()));
        Stack { names: names(), log_group, role, function, live, url, provisioned, permissions }
    })
}

/// A stack that everybody is served by.
fn public() -> impl Strategy<Value = Stack> {
    (wanted(), url()).prop_map(|(stack, url)| {
        let url = Some(FunctionUrl { auth: Auth::None, ..url });
        Stack { url, permissions: Permission::ALL.into(), ..stack }
    })
}

/// A whole stack, or nothing at all.
fn stack() -> impl Strategy<Value = Stack> {
    prop_oneof![1 => Just(Stack::empty(names())), 4 => wanted()]
}

fn prefixes(from: &Stack, plan: &Plan) -> Vec<Stack> {
    let mut stacks = vec![from.clone()];
    for change in &plan.changes {
        stacks.extend(stacks.last().cloned().map(|stack| stack.after(change)));
    }
    stacks
}

/// Whether AWS could hold such a stack.
fn may_exist(stack: &Stack) -> bool {
    let own_role = |live: &Live| live.release.configuration.role_arn == stack.names.role_arn();
    let live_has_its_role = stack.live.as_ref().is_none_or(|live| !own_role(live) || stack.role.is_some());
    live_has_its_role
        && (stack.live.is_none() || stack.function.is_some() && stack.log_group.is_some())
        && (stack.url.is_none() || stack.live.is_some())
        && (stack.permissions.is_empty() || stack.live.is_some())
        && (stack.provisioned.is_none() || stack.live.is_some())
}

/// Whether everybody is served.
fn is_public(stack: &Stack) -> bool {
    stack.live.is_some()
        && stack.url.as_ref().is_some_and(|url| url.auth == Auth::None)
        && stack.permissions == Permission::ALL.into()
}

fn allows(role: &Option<Role>, needed: &Option<Role>) -> bool {
    let (Some(role), Some(needed)) = (role, needed) else { return needed.is_none() };
    role.statements.is_superset(&needed.statements) && role.managed_policies.is_superset(&needed.managed_policies)
}

/// Applies a plan to a cloud that is as the plan found it.
fn carry_out(
    cloud: &Memory,
    plan: &Plan,
    target: &Stack,
    observer: &Observer<'_>,
) -> Result<Applied, Box<ApplyError<Infallible>>> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(apply(&mut cloud.current(), plan, &Delivery::of(target), &mut NoTrial, observer))
}

#[test]
fn what_live_remembers_of_a_stack_is_spelled_as_before() {
    let stack = Stack {
        url: Some(FunctionUrl { auth: Auth::AwsIam, mode: InvokeMode::ResponseStream, cors: None }),
        permissions: BTreeSet::from([Permission::InvokeUrl]),
        provisioned: Some(Provisioned(2)),
        ..Stack::empty(names())
    };
    let url = "Some(FunctionUrl { auth: AwsIam, mode: ResponseStream, cors: None })";
    assert_eq!(stack.conduct(), format!("{url} {{InvokeUrl}} None None Some(2)"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_as_wanted_needs_no_change(a in stack()) {
        prop_assert!(plan(&a, &a).is_empty());
    }

    #[test]
    fn a_plan_arrives(a in stack(), b in stack()) {
        prop_assert_eq!(prefixes(&a, &plan(&a, &b)).pop(), Some(b));
    }

    #[test]
    fn every_prefix_may_exist(a in stack(), b in stack()) {
        for stack in prefixes(&a, &plan(&a, &b)) {
            prop_assert!(may_exist(&stack), "{stack:#?}");
        }
    }

    #[test]
    fn what_is_carried_out_at_the_same_time_may_end_in_any_order(a in stack(), b in stack()) {
        let (plan, mut stack, mut count) = (plan(&a, &b), a.clone(), 0);
        for group in plan.groups() {
            let mut first: Vec<Vec<&Change>> = match group {
                Group::Apart(apart) | Group::Created { apart, .. } => apart.iter().map(|change| vec![change]).collect(),
                Group::One(_) | Group::Deleted { .. } => Vec::new(),
            };
            if let Group::Created { apart, function } = group {
                // It waits for its role alone.
                let role = apart.iter().find(|change| matches!(change, Change::Role(_)));
                first.push(role.into_iter().chain([function]).collect());
            }
            for changes in first {
                let stack = changes.into_iter().fold(stack.clone(), Stack::after);
                prop_assert!(may_exist(&stack), "{stack:#?}");
                prop_assert!(!(is_public(&a) && is_public(&b)) || is_public(&stack), "{stack:#?}");
            }
            let next = count + group.changes().count();
            stack = plan.changes[count..next].iter().fold(stack, Stack::after);
            count = next;
        }
        prop_assert_eq!(stack, b);
    }

    #[test]
    fn every_step_is_reported_in_the_plans_order(a in stack(), b in stack()) {
        let told = Mutex::new(Vec::new());
        let listener = Box::new(|event: &Event| {
            if let Event::Done { step, .. } = event {
                told.lock().unwrap().push(step.clone());
            }
        });
        let observer = Observer { listener, ..no_one() };
        let applied = carry_out(&Memory::with(a.clone()), &plan(&a, &b), &b, &observer);
        prop_assert_eq!(&applied.unwrap().done, &*told.lock().unwrap());
    }

    /// Whether everything succeeds, the first changes alone, or a signal comes while the role is created.
    #[test]
    fn a_function_is_created_after_its_role(b in stack(), budget in prop::option::of(0..3usize), is_stopped: bool) {
        let stop = CancellationToken::new();
        let signal = stop.clone();
        let listener = Box::new(move |event: &Event| match event {
            Event::Started { step, .. } if is_stopped && step.kind == ResourceKind::Role => signal.cancel(),
            _ => {}
        });
        let (a, observer) = (Stack::empty(b.names.clone()), Observer { listener, stop, ..no_one() });
        let (cloud, plan) = (Memory::with(a.clone()), plan(&a, &b));
        cloud.budget.set(budget);
        let applied = carry_out(&cloud, &plan, &b, &observer);
        let carried_out = cloud.carried_out.borrow();
        let place = |kind| carried_out.iter().position(|change| change.kind() == kind);
        if let (Some(_), Some(function)) = (&b.role, place(ResourceKind::Function)) {
            prop_assert!(!is_stopped, "{carried_out:#?}");
            prop_assert!(place(ResourceKind::Role).is_some_and(|role| role < function), "{carried_out:#?}");
        }
        if let Err(error) = applied {
            let told = error.done.len() + usize::from(error.failed.is_some()) + error.left.len();
            prop_assert_eq!(told, plan.changes.len(), "{:#?}", error);
        } else {
            prop_assert_eq!(cloud.stack(), b);
        }
    }

    #[test]
    fn a_caller_who_is_served_before_and_after_is_served_throughout(a in public(), b in public()) {
        for stack in prefixes(&a, &plan(&a, &b)) {
            prop_assert!(is_public(&stack), "{stack:#?}");
        }
    }

    #[test]
    fn the_release_that_serves_has_the_permissions_it_needs(a in stack(), b in stack()) {
        prop_assume!(a.live != b.live);
        for stack in prefixes(&a, &plan(&a, &b)).iter().filter(|stack| stack.live.is_some()) {
            let needed = if stack.live == a.live { &a.role } else { &b.role };
            prop_assert!(allows(&stack.role, needed), "{stack:#?}");
        }
    }

    #[test]
    fn an_interrupted_deploy_resumes_where_it_stopped(a in stack(), b in stack(), budget in 0..12usize) {
        let cloud = Memory::with(a.clone());
        cloud.budget.set(Some(budget));
        let first = plan(&a, &b);
        match carry_out(&cloud, &first, &b, &no_one()) {
            Ok(applied) => prop_assert_eq!(applied.done.len(), first.changes.len()),
            Err(error) => {
                let steps = error.done.len() + error.left.len() + usize::from(error.failed.is_some());
                prop_assert!(steps <= first.changes.len() && error.done.len() <= budget);
            }
        }
        cloud.budget.set(None);
        let rest = plan(&cloud.stack(), &b);
        carry_out(&cloud, &rest, &b, &no_one()).unwrap();
        prop_assert_eq!(cloud.stack(), b);
    }

    #[test]
    fn however_often_it_is_cut_short_it_arrives(
        a in stack(),
        b in stack(),
        cuts in prop::collection::vec((0..12usize, any::<bool>()), 0..5)
    ) {
        let cloud = Memory::with(a.clone());
        for (budget, loses_reply) in cuts.into_iter().map(|(budget, lost)| (Some(budget), lost)).chain([(None, false)]) {
            cloud.budget.set(budget);
            cloud.loses_reply.set(loses_reply);
            let plan = plan(&cloud.stack(), &b);
            if let Err(error) = carry_out(&cloud, &plan, &b, &no_one()) {
                let told = error.done.len() + usize::from(error.failed.is_some()) + error.left.len();
                prop_assert!(budget.is_some() && told == plan.changes.len(), "{error:#?}");
            }
        }
        prop_assert_eq!(cloud.stack(), b.clone());
        let mut stack = a.clone();
        for change in cloud.carried_out.borrow().iter() {
            stack = stack.after(change);
            prop_assert!(may_exist(&stack), "{stack:#?}");
            prop_assert!(!(is_public(&a) && is_public(&b)) || is_public(&stack), "{stack:#?}");
        }
    }

    #[test]
    fn until_the_target_is_proven_nothing_is_taken_away(a in stack(), b in stack()) {
        let (before, after) = plan(&a, &b).halves();
        for stack in prefixes(&a, &before) {
            prop_assert!(stack.permissions.is_superset(&a.permissions), "{stack:#?}");
            prop_assert!(a.url.is_none() || stack.url.is_some(), "{stack:#?}");
            prop_assert!(a.live.is_none() || stack.live.is_some(), "{stack:#?}");
            if let (Some(_), Some(_), true) = (&a.live, &b.live, a.live != b.live) {
                prop_assert!(b.role.is_none() || allows(&stack.role, &a.role), "{stack:#?}");
            }
        }
        let proven = prefixes(&a, &before).pop().unwrap_or_else(|| a.clone());
        prop_assert_eq!(prefixes(&proven, &after).pop(), Some(b));
    }

    #[test]
    fn during_a_shift_both_releases_have_what_they_need(a in wanted(), b in wanted(), percent in 1..=99u8) {
        prop_assume!(a.live != b.live && a.role.is_some() && b.role.is_some());
        let (old, new) = (a.live.clone().unwrap().release, b.live.clone().unwrap().release);
        let shift = Weight::percent(percent).map(|weight| Box::new(Shift { release: new, weight }));
        let shifted = Stack { live: Some(Live { release: old, shift }), ..b.clone() };
        let there = prefixes(&a, &plan(&a, &shifted)).pop().unwrap();
        prop_assert!(allows(&there.role, &a.role) && allows(&there.role, &b.role), "{there:#?}");
        prop_assert_eq!(&there.live, &shifted.live);
        prop_assert!(plan(&there, &shifted).is_empty());
        // It ends in one release, and only then the role is narrowed.
        prop_assert_eq!(prefixes(&there, &plan(&there, &b)).pop(), Some(b));
    }

    #[test]
    fn a_url_that_stays_is_never_deleted(a in wanted(), b in wanted()) {
        prop_assume!(a.url.is_some() && b.url.is_some());
        let deletes = |change: &lamstream::plan::Change| change.kind() == ResourceKind::Url && change.action() != Action::Update;
        prop_assert!(!plan(&a, &b).changes.iter().any(deletes));
    }

    #[test]
    fn what_is_a_strangers_is_never_deleted_and_never_changed_unasked(
        mut a in wanted(),
        b in stack(),
        theirs in prop::sample::subsequence(vec![ResourceKind::LogGroup, ResourceKind::Role, ResourceKind::Function], 1..3)
    ) {
        let tags = [
            (ResourceKind::LogGroup, a.log_group.as_mut().map(|group| &mut group.tags)),
            (ResourceKind::Role, a.role.as_mut().map(|role| &mut role.tags)),
            (ResourceKind::Function, a.function.as_mut().map(|function| &mut function.tags)),
        ];
        let mut foreign = Vec::new();
        for (kind, tags) in tags {
            if let Some(tags) = tags.filter(|_| theirs.contains(&kind)) {
                *tags = Tags::default();
                foreign.push(kind);
            }
        }
        let plan = plan(&a, &b);
        for change in &plan.changes {
            let by_tags = [ResourceKind::LogGroup, ResourceKind::Role].contains(&change.kind());
            let owner = if by_tags { change.kind() } else { ResourceKind::Function };
            if foreign.contains(&owner) {
                prop_assert!(change.action() != Action::Delete);
                prop_assert!(plan.foreign.iter().any(|other| other.kind == owner));
            }
        }
    }
}
