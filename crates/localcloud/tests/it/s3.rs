//! S3's checksums: which writes need one, and what happens to a wrong one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use sha2::{Digest, Sha256};

use crate::support::Bench;

const TAGS: &[u8] = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";

/// A call to S3: its status and error code, and the whole response.
async fn s3(bench: &Bench, method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String, String) {
    let answer = bench.signed("s3", method, &format!("{}{path}", bench.address), headers, body.to_vec()).await;
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once('<')).map_or("", |(code, _)| code);
    (status, code.to_owned(), text)
}

fn sha256(body: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(body))
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_of_a_bucket_need_a_checksum() {
    let bench = Bench::start().await;
    assert_eq!(s3(&bench, Method::PUT, "/bucket", &[], b"").await.0, 200);
    let tag = async |headers: &[(&str, &str)]| s3(&bench, Method::PUT, "/bucket?tagging", headers, TAGS).await;
    let (status, code, text) = tag(&[]).await;
    assert_eq!((status, code.as_str()), (400, "InvalidRequest"));
    assert!(text.contains("Missing required header for this request: Content-MD5 OR x-amz-checksum-*"), "{text}");
    assert_eq!(s3(&bench, Method::GET, "/bucket?tagging", &[], b"").await.1, "NoSuchTagSet");

    let wrong = tag(&[("x-amz-checksum-sha256", sha256(b"other").as_str())]).await;
    assert_eq!((wrong.0, wrong.1.as_str()), (400, "BadDigest"));
    assert!(wrong.2.contains("The SHA256 you specified did not match the calculated checksum."), "{}", wrong.2);
    let wrong = tag(&[("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")]).await;
    assert_eq!((wrong.0, wrong.1.as_str()), (400, "BadDigest"));
    assert_eq!(tag(&[("content-md5", "x")]).await.1, "InvalidDigest");
    assert_eq!(tag(&[("x-amz-checksum-crc32", "AAAA")]).await.1, "InvalidRequest");
    assert_eq!(tag(&[("x-amz-sdk-checksum-algorithm", "CRC32")]).await.1, "InvalidRequest");
    let right = sha256(TAGS);
    let two = [("x-amz-checksum-sha256", right.as_str()), ("x-amz-checksum-crc32", "AAAAAA==")];
    assert!(tag(&two).await.2.contains("Expecting a single x-amz-checksum- header"));

    assert_eq!(tag(&[("x-amz-checksum-sha256", right.as_str())]).await.0, 204);
    assert!(s3(&bench, Method::GET, "/bucket?tagging", &[], b"").await.2.contains("<Key>a</Key>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_is_a_key_and_a_value_in_either_order() {
    let bench = Bench::start().await;
    s3(&bench, Method::PUT, "/bucket", &[], b"").await;
    let tag = async |tags: &str| {
        let body = format!("<Tagging><TagSet>{tags}</TagSet></Tagging>");
        let checksum = sha256(body.as_bytes());
        s3(&bench, Method::PUT, "/bucket?tagging", &[("x-amz-checksum-sha256", &checksum)], body.as_bytes()).await.1
    };
    let mixed =
        "<Tag><Value>1</Value><Key>a</Key></Tag><Tag><Key>b</Key><Value/></Tag><Tag><Key>c</Key><Value>3</Value></Tag>";
    assert_eq!(tag(mixed).await, "");
    let (_, _, text) = s3(&bench, Method::GET, "/bucket?tagging", &[], b"").await;
    for pair in ["<Key>a</Key><Value>1</Value>", "<Key>b</Key><Value></Value>", "<Key>c</Key><Value>3</Value>"] {
        assert!(text.contains(pair), "{text}");
    }
    let without_value = "<Tag><Key>a</Key></Tag><Tag><Key>b</Key><Value>2</Value></Tag>";
    for wrong in [without_value, "<Tag><Value>1</Value></Tag>", "<Tag/>", "<Tag><Key>a</Key><Value>1</Value>"] {
        assert_eq!(tag(wrong).await, "MalformedXML", "{wrong}");
    }
    let twice = "<Tag><Key>a</Key><Value>1</Value></Tag>";
    assert_eq!(tag(&format!("{twice}{twice}")).await, "InvalidTag");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_of_ones_own_is_no_conflict_in_the_oldest_region() {
    let bench = Bench::start().await;
    s3(&bench, Method::PUT, "/bucket", &[], b"").await;
    s3(&bench, Method::PUT, "/bucket/key", &[], b"x").await;
    assert_eq!(s3(&bench, Method::PUT, "/bucket", &[], b"").await.0, 200);
    assert_eq!(s3(&bench, Method::HEAD, "/bucket/key", &[], b"").await.0, 200, "it is the same bucket");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checksum_of_an_object_is_optional_and_has_to_be_right() {
    let bench = Bench::start().await;
    s3(&bench, Method::PUT, "/bucket", &[], b"").await;
    let put = async |headers: &[(&str, &str)]| s3(&bench, Method::PUT, "/bucket/key", headers, b"123456789").await;
    assert_eq!(put(&[]).await.0, 200);
    // The published values of "123456789".
    for (algorithm, sum) in [
        ("crc32", "y/Q5Jg=="),
        ("crc32c", "4waSgw=="),
        ("crc64nvme", "rosUhgp5mIg="),
        ("md5", "JfnnlDI7RTiF9RgfG2JNCw=="),
        ("sha1", "98O8HYCOBHMq32eZZczDTKeuNEE="),
        ("sha256", "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
    ] {
        let name = format!("x-amz-checksum-{algorithm}");
        assert_eq!(put(&[(name.as_str(), sum)]).await.0, 200, "{algorithm}");
        let other = format!("A{}", &sum[1..]);
        assert_eq!(put(&[(name.as_str(), other.as_str())]).await.1, "BadDigest", "{algorithm}");
    }
    assert_eq!(put(&[("content-md5", "JfnnlDI7RTiF9RgfG2JNCw==")]).await.0, 200);
    assert_eq!(put(&[("x-amz-checksum-xxhash64", "AAAAAAAAAAA=")]).await.1, "NotImplemented");
    let found = bench.signed("s3", Method::HEAD, &format!("{}/bucket/key", bench.address), &[], Vec::new()).await;
    assert_eq!(found.headers()["etag"], "\"25f9e794323b453885f5181f1b624d0b\"");
}
