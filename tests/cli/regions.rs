//! Regions that lack what others have.

use crate::support::bench::{Bench, function_zip, said};
use crate::support::proxy::Proxy;

fn manifest(region: &str, url: &str) -> String {
    format!("app = \"shop\"\nregion = \"{region}\"\n[functions.chat]\ncrate = \"unused\"\n{url}\n")
}

/// Regions are those of AWS, as far as URLs go.
fn bench(region: &str, url: &str) -> Bench {
    let bench = Bench::new(&manifest(region, url));
    bench.good(&["local", "start", "--url-regions", "aws", "--role-propagation", "0s"]);
    bench
}

#[test]
fn names_have_the_partition_of_their_region() {
    for (region, partition) in
        [("eusc-de-east-1", "aws-eusc"), ("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")]
    {
        let bench = bench(region, "");
        let (document, _) = bench.json(&["status", "--local", "--region", region]);
        let arn = document["functions"][0]["function_arn"].as_str();
        assert_eq!(arn, Some(&*format!("arn:{partition}:lambda:{region}:000000000000:function:shop-chat")));
    }
}

#[test]
fn without_a_url_every_command_works_where_there_are_no_urls() {
    let package = format!("--package={}", function_zip().display());
    for region in ["eu-central-2", "cn-north-1"] {
        let bench = bench(region, "");
        for memory in ["memory = 128", "memory = 256"] {
            bench.write("deploy.toml", &manifest(region, memory));
            bench.good(&["plan", "--local", &package]);
            bench.good(&["deploy", "--local", "--yes", &package]);
            assert_eq!(bench.good(&["plan", "--local", &package]), "no changes\n", "{region}");
        }
        let (status, _) = bench.json(&["status", "--local"]);
        let chat = &status["functions"][0];
        assert_eq!((chat["state"].as_str(), &chat["changes"]), (Some("deployed"), &serde_json::json!([])), "{status}");
        bench.good(&["rollback", "chat", "--local", "--yes"]);
        bench.good(&["releases", "chat", "--local"]);
        bench.good(&["destroy", "--local", "--yes"]);
        assert_eq!(bench.status(&["--local"]), "chat: not deployed\n");
    }
}

#[test]
fn a_url_is_refused_before_the_first_write_where_there_are_none() {
    let package = format!("--package={}", function_zip().display());
    for (region, advice) in [("eu-central-2", "`eu-central-1`"), ("cn-north-1", "remove `url` from `chat`")] {
        let bench = bench(region, "url = { auth = \"none\" }");
        let proxy = bench.proxy();
        for command in [&["plan", &package][..], &["deploy", "--yes", &package]] {
            let output = bench.through(&proxy, command).env("AWS_REGION", region).output().unwrap();
            let text = said(&output);
            assert_eq!(output.status.code(), Some(2), "{text}");
            assert!(text.contains(&format!("cannot deploy `chat` with a URL to {region}")), "{text}");
            assert!(text.contains(advice), "{text}");
            assert!(!text.contains("permission"), "{text}");
        }
        let calls = proxy.take_calls();
        let writes = Proxy::writes(&calls);
        assert!(writes.is_empty(), "{writes:?}");
        let output = bench.through(&proxy, &["url"]).env("AWS_REGION", region).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        let output = bench.through(&proxy, &["status"]).env("AWS_REGION", region).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let output = bench.through(&proxy, &["destroy", "--yes"]).env("AWS_REGION", region).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
}
