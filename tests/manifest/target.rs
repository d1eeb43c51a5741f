//! The stack that a function of a manifest shall have.

use super::fixtures::root;
use lamstream::manifest::{Manifest, parse};
use lamstream::stack::{
    Architecture, Auth, Configuration, Environment, Function, FunctionUrl, InvokeMode, LogGroup, Logging, Names,
    Permission, Platform, Release, Role, Settings, Stack, Statement,
};
use std::collections::BTreeSet;

fn target(manifest: &Manifest) -> Stack {
    let function = &manifest.functions[0];
    let names = manifest.names(function, "eu-central-1", "123456789012");
    let platform = Platform::on_lambda(function.runtime.clone(), Architecture::Arm64);
    function.target(&names, &platform, Some("c2hhMjU2"))
}

fn parsed(keys: &str) -> Manifest {
    parse(&format!("app = 'shop'\n[functions.chat]\ncrate = 'chat'\n{keys}"), None).unwrap()
}

#[test]
fn the_sample_becomes_this_stack() {
    let manifest = parse(&std::fs::read_to_string(root().join("deploy.toml")).unwrap(), None).unwrap();
    let names = Names {
        app: "lamstream".into(),
        stage: None,
        function: "chat".into(),
        region: "eu-central-1".into(),
        account: "123456789012".into(),
        log_group: None,
    };
    let tags = names.owner_tags();
    let configuration = Configuration {
        role_arn: names.role_arn(),
        architecture: Architecture::Arm64,
        runtime: "provided.al2023".into(),
        handler: "bootstrap".into(),
        settings: Settings { memory: 128, timeout: 60, ephemeral_storage: 512, snap_start: false },
        layers: Vec::new(),
        environment: Environment::new(),
        undecryptable: None,
        logging: Logging::Text,
        log_group: "/aws/lambda/lamstream-chat".into(),
        attachments: Box::default(),
    };
    let expected = Stack {
        log_group: Some(LogGroup { retention_days: Some(30), tags: tags.clone() }),
        role: Some(Role {
            trust: BTreeSet::from([Statement::lambda_may_assume()]),
            other_policies: BTreeSet::new(),
            statements: BTreeSet::from([Statement::may_write_logs(&names)]),
            managed_policies: BTreeSet::new(),
            permissions_boundary: None,
            tags: tags.clone(),
        }),
        function: Some(Function { description: String::new(), concurrency: None, tags }),
        live: Some(Release { code: Some("c2hhMjU2".into()), configuration }.into()),
        url: Some(FunctionUrl { auth: Auth::None, mode: InvokeMode::ResponseStream, cors: None }),
        provisioned: None,
        permissions: BTreeSet::from(Permission::ALL),
        names,
    };
    assert_eq!(target(&manifest), expected);
}

#[test]
fn only_a_public_url_has_permissions() {
    assert_eq!(target(&parsed("")).url, None);
    for keys in ["", "url = { auth = 'aws-iam' }"] {
        assert_eq!(target(&parsed(keys)).permissions, BTreeSet::new(), "{keys}");
    }
}

#[test]
fn a_given_role_is_used_and_not_made() {
    let arn = "arn:aws:iam::123456789012:role/chat";
    let stack = target(&parsed(&format!("role.arn = '{arn}'")));
    assert_eq!(stack.role, None);
    assert_eq!(stack.live.unwrap().release.configuration.role_arn, arn);
}

#[test]
fn a_role_of_its_own_may_write_logs_and_what_the_manifest_says() {
    let stack = target(&parsed("role.statements = [{ effect = 'deny', actions = ['b:X', 'a:X'], resources = ['*'] }]"));
    let said = Statement::new(&serde_json::json!({ "Effect": "Deny", "Action": ["a:X", "b:X"], "Resource": "*" }));
    let logs = Statement::may_write_logs(&stack.names);
    assert_eq!(stack.role.unwrap().statements, BTreeSet::from([logs, said]));
}

#[test]
fn tags_are_on_all_that_takes_them() {
    let stack = target(&parsed("tags = { team = 'chat' }"));
    let role = stack.role.unwrap();
    for tags in [&stack.log_group.unwrap().tags, &stack.function.unwrap().tags, &role.tags] {
        assert_eq!((tags.get("team"), tags.get("lamstream:app")), (Some("chat"), Some("shop")));
    }
}

#[test]
fn the_adapter_asks_the_app_and_not_its_site() {
    let variable = |keys: &str| {
        let live = target(&parsed(keys)).live.unwrap();
        let environment = live.release.configuration.environment;
        environment.get("AWS_LWA_HOST").map(|host| host.reveal().to_owned())
    };
    for site in ["https://app.example", "app.example", "http://localhost"] {
        let host = variable(&format!("port = 8080\nenvironment = {{ HOST = '{site}' }}"));
        assert_eq!(host.as_deref(), Some("127.0.0.1"), "{site}");
    }
    for address in ["0.0.0.0", "127.0.0.1", "::1", "localhost"] {
        assert_eq!(variable(&format!("port = 8080\nenvironment = {{ HOST = '{address}' }}")), None, "{address}");
    }
    let own = "port = 8080\nenvironment = { HOST = 'app.example', AWS_LWA_HOST = '127.0.0.2' }";
    assert_eq!(variable(own).as_deref(), Some("127.0.0.2"));
    // Without a web app, the name means nothing to Lambda.
    assert_eq!(variable("environment = { HOST = 'app.example' }"), None);
    assert_eq!(variable("port = 8080"), None);
}
